### All that the bot says, in English. The other files have the same keys with the same variables.

## Commands, their options and choices

command-separate = separate
command-separate-description = Take the sound of a clip apart into voice and background.
command-transcribe = transcribe
command-transcribe-description = Write down who says what in a clip.
command-remix = remix
command-remix-description = Mix the voice and the background of a clip together again.
command-dub = dub
command-dub-description = Put another voice track in the place of the voices of a clip.
command-process = process
command-process-description = Do it all: take the sound apart, write down who says what, and mix it again.
command-jobs = jobs
command-jobs-description = Your clips: where they are in the queue, cancel them, run them again.
command-share = share
command-share-description = Post one of your results in another channel or thread.
command-settings = settings
command-settings-description = See or change what this server allows and uses when nothing is chosen.
command-privacy = privacy
command-privacy-description = What is kept about you, and how to delete it.
command-help = help
command-help-description = What this bot can do.
menu-separate = Separate this
menu-transcribe = Transcribe this
menu-remix = Remix this
menu-process = Process this
option-clip = clip
option-clip-description = A video or sound file.
option-route = route
option-route-description = How to work on it; measured on the clip when left out.
option-preset = preset
option-preset-description = Which set of models to use.
option-language = language
option-language-description = What is spoken, also Chinese mixed with English (zh-en); found out when left out.
option-speakers = speakers
option-speakers-description = How many people speak; found out when left out.
option-mix = mix
option-mix-description = A ready-made balance; the faders below go before it.
option-loudness = loudness
option-loudness-description = How loud the mix is to be.
option-voice = voice
option-voice-description = Loudness of the voice, 1.0 when left out, 0 for none.
option-background = background
option-background-description = Loudness of all else, 0.7 when left out, 0 for none.
option-music = music
option-music-description = Loudness of the music, where it can be told apart.
option-sfx = effects
option-sfx-description = Loudness of the sound effects, where they can be told apart.
option-ambient = ambience
option-ambient-description = Loudness of the ambience, where it can be told apart.
option-dub = dub
option-dub-description = The new voice track, or a zip of its pieces.
option-result = result
option-result-description = Which result.
option-to = to
option-to-description = The channel or thread that gets it.
option-minutes = longest_clip
option-minutes-description = Minutes that a clip may last.
option-at_once = at_once
option-at_once-description = Clips that one person may have under way at a time.
option-minutes_person = minutes_a_person
option-minutes_person-description = Minutes of clips that one person may send in a day.
option-minutes_server = minutes_the_server
option-minutes_server-description = Minutes of clips that all people here may send in a day.
option-allow_role = allow_role
option-allow_role-description = A role that may use the bot; when there is none, everybody may.
option-remove_role = remove_role
option-remove_role-description = A role that may no longer use the bot.
option-retention = keep_days
option-retention-description = Days that results are kept.
route-basic = basic: only the plain sound track
route-dialogue = dialogue: talk, interviews, calls
route-cinematic = cinematic: film, TV, much music or noise
preset-pocket = pocket: small and quick
preset-studio = studio: full models
language-zh-en = Chinese and English, mixed
mix-original = original: the clip as it was
mix-podcast = podcast: talk that is easy to follow
mix-cinema = cinema: full range, dialogue a little in front
mix-karaoke = karaoke: no vocals
mix-clean-dialogue = clean dialogue: the voices alone
loudness-original = as loud as the clip
loudness-streaming = streaming: -14 LUFS
loudness-podcast = podcast: -16 LUFS
loudness-broadcast = broadcast, Europe: -23 LUFS
loudness-broadcast-us = broadcast, US: -24 LUFS

## The message of a job

receiving = Receiving the clip …
waiting = { $count ->
    [0] Waiting: next in the queue.
    [one] Waiting: one clip is before this one.
   *[other] Waiting: { $count } clips are before this one.
}
starting = Starting …
attempt-again = The worker was lost; attempt { $attempt } goes on where it stopped.
time-left = about { $time } left
stage-probe = Reading the clip
stage-extract = Extracting the sound
stage-route = Choosing the route
stage-separate = Taking the sound apart
stage-prepare_speech = Preparing the speech
stage-diarize = Telling the speakers apart
stage-transcribe = Writing down the words
stage-align = Giving words to speakers
stage-embed_speakers = Describing the voices
stage-match_speakers = Looking for known voices
stage-measure = Measuring the loudness
stage-dub = Fitting the dub
stage-render_dub_comparison = Comparing the dub with the original
stage-mix = Mixing
stage-mux = Joining sound and picture
stage-subtitles = Writing subtitles
stage-report = Drawing the picture
stage-compress = Making smaller copies
made-separate = Taken apart for { $person }
made-transcribe = Transcribed for { $person }
made-remix = Mixed again for { $person }
made-dub = Dubbed for { $person }
made-all = Taken apart, transcribed and mixed again for { $person }
field-route = Route
route-asked = chosen by { $person }
field-speakers = Speakers
speakers-none = nobody
field-language = Language
field-duration = Length
field-loudness = Loudness
loudness-change = { $before } → { $after } LUFS
field-transcript = Who said what
field-notes = Notes
field-failed = Could not be made
field-large = Too large for this place
field-smaller = Smaller here
field-whole = The files in full
whole-on-page = All files in full size are on the page: press “Open page”.
whole-elsewhere = Use /{ command-share } to post them where larger files may go, or ask the people who run this bot.
result-for = Here is the result for { $person }.
shared-by = { $person } shares this result.
cancelling = Stopping; what is finished is kept.
cancelled = Cancelled.
cancelled-kept = Cancelled. What was finished is kept: when the clip is run again it goes on from there.
job-failed = This clip could not be worked on; { $person } was told why.
job-failed-why = This clip could not be worked on: { $reason }
not-done = Not done.

## Buttons and forms

button-cancel = Cancel
button-cancel-clip = Cancel { $name }
button-again = Again
button-again-clip = Again: { $name }
button-rebalance = Rebalance
button-rename = Rename speakers
button-dub = Dub
button-thread = Thread
button-page = Open page
button-revoke = Revoke all links
button-delete = Delete mine
button-delete-sure = Yes, delete everything
select-subtitles = Get the transcript as …
format-txt = Plain text
format-md = Markdown document
format-srt = SubRip subtitles (srt)
format-vtt = WebVTT subtitles (vtt)
format-ass = Styled subtitles (ass)
format-rttm = Speaker times (rttm)
format-TextGrid = Praat (TextGrid)
format-json = Words with times (json)
form-rebalance = Rebalance
form-rebalance-preset = Balance
form-rebalance-none = from the faders below
form-fader-hint = A number from 0 to 4 or decibels such as -3 dB; left out: as the balance says.
part-voice = Voice
part-background = Background
part-music = Music
part-sfx = Sound effects
part-ambient = Ambience
form-rename = Who is who?
form-rename-says = “{ $words }”
form-dub = Dub
form-dub-file = New voice track
form-dub-hint = A sound file as long as the clip, or a zip of pieces.
renamed = Renamed. The message has the new names.
subtitles-here = Here it is.
thread-name = Transcript of { $name }
thread-made = The transcript is in { $thread }.
page-here = This link ends { $when }. Whoever has it can see the result and rename its speakers; the page gives an address without that right.
links-revoked = { $count ->
    [0] No link to this page was in use any more.
    [one] The link to this page no longer works.
   *[other] All { $count } links to this page no longer work.
}

## Jobs, settings, privacy, help

jobs-title = Your clips
jobs-none = You have no clips here yet. Send one with /{ command-process }.
status-queued = { $count ->
    [0] next in the queue
    [one] waiting, one clip before it
   *[other] waiting, { $count } clips before it
}
status-running = being worked on
status-finished = done
status-failed = not done
status-stopped = cancelled
shared = Posted in { $channel }.
settings-title = Settings of this server
settings-saved = Saved.
setting-preset = Preset
setting-language = Spoken language
setting-minutes = Longest clip
setting-at_once = At once, a person
setting-minutes_person = A day, a person
setting-minutes_server = A day, the server
setting-roles = May use the bot
setting-retention = Results are kept
value-minutes = { $count ->
    [one] one minute
   *[other] { $count } minutes
}
value-clips = { $count ->
    [one] one clip
   *[other] { $count } clips
}
value-days = { $count ->
    [one] one day
   *[other] { $count } days
}
value-default = as the bot is set up
value-detected = found out on each clip
value-everybody = everybody
privacy-title = What is kept about you
privacy-text =
    For each clip: who sent it and where, its name, its length, the clip itself, the result and the names you gave to speakers. For fair limits: how many minutes you sent on a day.
    Nothing you write in channels is read, and nothing is given to others.
    { $days ->
        [one] After one day
       *[other] After { $days } days
    } it is deleted. You can delete what is yours now; messages in the channels stay until you delete them there.
privacy-sure = This stops your clips and deletes your results, also for others. It cannot be undone.
privacy-deleted = { $count ->
    [0] There was nothing to delete.
    [one] Deleted: one clip.
   *[other] Deleted: { $count } clips.
}
help-title = What this bot can do
help-text = Send a clip with one of these commands, or right-click a message that has one and choose Apps. The result comes into the channel, with buttons to go on.
help-more =
    • **Language**: found out when you name none. With “{ option-language }” you can say it, also Chinese mixed with English (zh-en), which the preset studio knows best.
    • **Mix**: ready-made as podcast, cinema, karaoke, clean dialogue or original, or each part by its own number.
    • **Below a result**: “{ button-rebalance }”, “{ button-rename }” (with an excerpt of each voice), “{ button-dub }”, “{ button-thread }”, and the transcript as subtitles or text. They work for days.
help-page = • **Page**: “{ button-page }” shows the result in the browser, with a player, captions, the stems on a mixer, the words in step with the sound, and all files.

## Refusals and errors

no-clip = This message has no video or sound file.
no-clip-hint = Choose a message that has a clip attached to it.
too-many-files = This message has { $count } files; at most { $limit } can be looked at.
too-many-files-hint = Choose a message with fewer files.
not-yours-cancel = Only the person who asked, or people who may manage messages here, can cancel this.
not-yours = Only the person who asked, or people who may manage messages here, can do this.
not-visible = You cannot see the channel of this result.
not-manager = Only people who may manage this server can change its settings.
not-here = This works on a server only.
role-missing = On this server you need one of these roles to use the bot: { $roles }
ended = This job has already ended.
result-gone = This result is no longer kept.
result-gone-hint = Send the clip again.
no-such-part = This result has nothing to do that with.
no-pages = This bot has no pages.
bad-fader = { $value } is no loudness.
bad-fader-hint = Use a number from 0 to 4, or decibels such as -3 dB.
may-not-post-you = You may not post in { $channel }.
may-not-post-bot = The bot may not post in { $channel }.
may-not-thread = The bot may not make threads here.
post-hint = Ask someone who manages this server.
not-shared = The result could not be posted in { $channel }.
quota-at-once = You already have { $used } of { $limit } clips under way.
quota-at-once-hint = Wait until one is done, or cancel one with /{ command-jobs }.
quota-length = This clip is longer than { $limit } minutes, which is the most on this server.
quota-person = You have used { $used } of your { $limit } minutes today; { $left } are left.
quota-server = This server has used { $used } of its { $limit } minutes today; { $left } are left.
quota-reset = It starts anew { $when }.
clip-empty = { $name } is empty.
clip-large = { $name } has { $size }; at most { $limit } are allowed.
clip-large-hint = Send a shorter or smaller clip.
clip-no-media = { $name } is no video or sound file.
clip-no-media-hint = Send a video or sound file with an audio track (mp4, mov, mkv, webm, mp3, m4a, wav, flac, ogg).
wrong-host = The clip is not stored on Discord.
wrong-host-hint = Upload the clip to Discord and try again.
clip-interrupted = The bot was restarted before it had the whole clip.
clip-gone = The clip is no longer there.
clip-gone-hint = Upload the clip again.
download-failed = The clip could not be fetched from Discord in time.
download-hint = Try again in a minute.
try-later = Try again later; if it fails again, tell the people who run this bot.
queue-away = The bot cannot reach its workers right now.
store-away = The bot cannot reach its storage right now.
models-away = The models for this are not ready on this bot.
attempts-used = The clip was tried several times and failed each time.
unknown-error = Something went wrong in the bot (reference { $reference }).
choice-error = { $value } cannot be used for that option.
choice-hint = Choose one of the values that are offered.
button-gone = This button is no longer known.
button-gone-hint = Give the command again, or use the buttons of a newer message.
not-one-file = Choose one file, not { $count }.
not-one-file-hint = Upload the new voice track in the form.
out-of-date = This command has changed.
out-of-date-hint = Reload Discord and try again.
job-lost = The job was removed before it ended.
error-MediaError = This file is no clip that can be worked on.
error-LimitError = This clip is longer or larger than this bot allows.
error-ValidationError = The file or one of the options cannot be used.
error-FFmpegError = The clip could not be read or written.
error-SeparationError = The sound could not be taken apart.
error-DiarizationError = The speakers could not be told apart.
error-TranscriptionError = The words could not be recognised.
error-MixError = The parts could not be put together.
error-EngineTimeoutError = The clip took longer than allowed.
error-EngineError = A program that works on clips ended unexpectedly.
error-AudioProcessingError = The clip could not be worked on.
error-DatabaseError = What the bot remembers cannot be reached.
error-hint-input = Check the file and the options and try again.
error-detail = { $sentence } ({ $detail })

## The page of a result

page-loading = Loading the sound …
page-sound-failed = The sound could not be loaded. Try again.
page-play = Play
page-pause = Pause
page-player = Player
page-position = Position
page-captions = Captions
page-speakers = { $count ->
    [one] one speaker
   *[other] { $count } speakers
}
page-stems = Stems
page-hear = What is heard
page-hear-stems = Stems
page-hear-mix = Finished mix
page-mute = Mute
page-solo = Solo
page-gain = Loudness
page-keys = Keys: space plays and pauses, arrows go 5 seconds, M and S mute and solo the chosen stem.
page-follow = Follow
page-go-to = Go to { $time }
page-overlap = at the same time
page-save = Save
page-saved = Saved.
page-not-saved = The names could not be saved. Try again.
page-downloads = Files
page-zip = All as a zip
page-view-only = Address to share, without the right to rename:
page-forged = This link does not work.
page-forged-hint = Open the page anew from the button below the result in Discord.
page-expired = This link has expired.
page-expired-hint = Press “Open page” below the result in Discord for a new one.
page-no-file = This result has no such file.
page-no-file-hint = Go back to the page and choose from its list.
page-not-yours = This link does not allow renaming speakers.
page-not-yours-hint = Press “Open page” below the result in Discord for a link of your own.
page-bad-request = This could not be understood.
page-bad-request-hint = Reload the page and try again.
page-none = There is nothing here.
page-none-hint = Open the page from the button below the result in Discord.
page-revoked = This link was taken back.
page-revoked-hint = Ask the person who gave it to you, or press “Open page” below the result in Discord.
page-gone = This result is no longer kept.
page-gone-hint = Send the clip again in Discord.
page-not-visible = Who made this link can no longer see the channel of the result.
page-not-visible-hint = Ask somebody who can see it for a new link.
page-too-often = Speakers were renamed too often in a short time.
page-too-often-hint = Try again in ten minutes.
page-away = The result cannot be reached right now.
page-away-hint = Try again in a minute.

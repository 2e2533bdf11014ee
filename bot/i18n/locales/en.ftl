### The texts of the bot, in English. The other files have the same keys with the same variables.

## Commands, their options and choices

command-separate = separate
command-separate-description = Separate a clip into voice and background.
command-transcribe = transcribe
command-transcribe-description = Transcribe who says what in a clip.
command-remix = remix
command-remix-description = Remix the voice and the background of a clip.
command-dub = dub
command-dub-description = Replace the voices of a clip with another voice track.
command-process = process
command-process-description = Do everything: separate, transcribe and remix a clip.
command-jobs = jobs
command-jobs-description = Your clips, with buttons to cancel them or run them again.
command-share = share
command-share-description = Post one of your results in another channel or thread.
command-upload = upload
command-upload-description = Get a page for a clip that is too large for Discord.
command-settings = settings
command-settings-description = Show or change the limits and defaults of this server.
command-find = find
command-find-description = Look for words in the transcripts of this server that you may see.
command-glossary = glossary
command-glossary-description = Names and terms of this server that transcripts are to spell correctly.
command-add = add
command-add-description = Add terms to the glossary of this server.
command-remove = remove
command-remove-description = Remove a term from the glossary of this server.
command-members = members
command-members-description = Whether transcripts of this server are to spell the names of its members correctly.
command-list = list
command-list-description = Show the glossary of this server.
command-voice = voice
command-voice-description = Find people by their voice in new clips of this server, with their consent.
command-enable = enable
command-enable-description = Turn the voice-book of this server on.
command-disable = disable
command-disable-description = Turn the voice-book of this server off and delete all voices in it.
command-enrol = enrol
command-enrol-description = Have your own voice kept, so that new transcripts here have your name.
command-forget = forget
command-forget-description = Delete your voice from this server at once.
command-status = status
command-status-description = Whether this server has a voice-book, and whether your voice is in it.
command-privacy = privacy
command-privacy-description = What is stored about you, and how to delete it.
command-help = help
command-help-description = What this bot can do.
menu-separate = Separate this
menu-transcribe = Transcribe this
menu-remix = Remix this
menu-process = Process this
option-clip = clip
option-clip-description = A video or sound file.
option-route = route
option-route-description = How to process the clip; chosen automatically when left out.
option-preset = preset
option-preset-description = Which models to use.
option-language = language
option-language-description = The spoken language, also Chinese mixed with English (zh-en); detected when left out.
option-speakers = speakers
option-speakers-description = How many people speak; detected when left out.
option-subtitles = subtitles
option-subtitles-description = Whether the video gets the transcript as subtitles that viewers can turn on.
option-parts = parts
option-parts-description = Whether the background is given as music, effects and ambience too.
option-speaker_stems = speaker_tracks
option-speaker_stems-description = Whether each speaker gets a track too; where several speak at once, each has a share of it.
option-track = track
option-track-description = Which sound track to hear when the clip has several, counted from 1; chosen when left out.
option-mix = mix
option-mix-description = A ready-made mix; the volumes below override it.
option-loudness = loudness
option-loudness-description = Loudness of the mix.
option-voice = voice
option-voice-description = Volume of the voice: 1.0 when left out, 0 for none.
option-background = background
option-background-description = Volume of everything else: 0.7 when left out, 0 for none.
option-music = music
option-music-description = Volume of the music, if it can be separated.
option-sfx = effects
option-sfx-description = Volume of the sound effects, if they can be separated.
option-ambient = ambience
option-ambient-description = Volume of the ambience, if it can be separated.
option-dub = dub
option-dub-description = The new voice track, or a zip with its parts.
option-result = result
option-result-description = The result to share.
option-to = to
option-to-description = The channel or thread to post it in.
option-minutes = longest_clip
option-minutes-description = Longest clip, in minutes.
option-at_once = at_once
option-at_once-description = Clips that one person may have in progress at the same time.
option-minutes_person = minutes_a_person
option-minutes_person-description = Minutes of clips that one person may send per day.
option-minutes_server = minutes_the_server
option-minutes_server-description = Minutes of clips that all people here together may send per day.
option-allow_role = allow_role
option-allow_role-description = A role that may use the bot; without any, everybody may.
option-remove_role = remove_role
option-remove_role-description = A role that may no longer use the bot.
option-retention = keep_days
option-retention-description = How many days results are kept.
option-words = words
option-words-description = Words, a phrase in quotation marks, or the beginning of a word, such as budg*.
option-by = by
option-recording = recording
option-recording-description = You alone, for some seconds; left out: your newest clip in which you pressed “This is me”.
option-past = past
option-past-description = Take your name off the speakers of earlier transcripts here, too.
option-by-description = Who said it: a member, or the name of a speaker.
option-since = since
option-since-description = A date such as 2026-11-30, or an age such as 7d.
option-in = in
option-in-description = The channel, thread or category in which the result was posted.
option-terms = terms
option-terms-description = Terms between commas; write “Siobhan = Shivawn” where the letters mislead about the sound.
option-terms_file = file
option-terms_file-description = A text file with a term on each line.
option-export = export
option-export-description = Send a copy of everything that is stored about you, as a zip.
option-task = task
option-task-description = What to do with the clip; all of it when left out.
option-link = link
option-link-description = The address of a clip, from a host that this bot allows.
option-enabled = enabled
option-enabled-description = Whether their names are used.
option-term = term
option-term-description = The term to remove.
route-basic = basic: the original sound track only
route-dialogue = dialogue: talk, interviews, calls
route-cinematic = cinematic: film, TV, a lot of music or noise
parts-auto = auto: the ones that come out well
parts-all = all: music, effects and ambience, even if rough
parts-none = none: one background
preset-pocket = pocket: small and fast
preset-studio = studio: full models
language-zh-en = Chinese and English, mixed
mix-original = original: the clip as it was
mix-podcast = podcast: clear, easy to follow speech
mix-cinema = cinema: full dynamics, dialogue slightly louder
mix-karaoke = karaoke: no vocals
mix-clean-dialogue = clean dialogue: voices only
loudness-original = as loud as the clip
loudness-streaming = streaming: -14 LUFS
loudness-podcast = podcast: -16 LUFS
loudness-broadcast = broadcast, Europe: -23 LUFS
loudness-broadcast-us = broadcast, US: -24 LUFS

## Tools for clips

command-clip = clip
command-clip-description = Cut, resize, turn a clip; take its sound or a picture; make a GIF; write captions into it.
command-cut = cut
command-cut-description = Keep a stretch of a clip.
command-resize = resize
command-resize-description = Give the picture of a clip another size.
command-fps = fps
command-fps-description = Give a clip another number of pictures per second.
command-turn = turn
command-turn-description = Turn or mirror the picture of a clip.
command-audio = audio
command-audio-description = Get the sound of a clip as a file.
command-frame = frame
command-frame-description = Get one picture of a clip.
command-sheet = sheet
command-sheet-description = Get one picture with scenes from all over a clip.
command-gif = gif
command-gif-description = Make a GIF or WebP that plays by itself.
command-captions = captions
command-captions-description = Write what is said into the picture.
option-from = from
option-from-description = Where to begin, such as 12.5 or 1:03; the beginning when left out.
option-until = to
option-until-description = Where to end, such as 20 or 1:23; the end when left out.
option-until_loop = to
option-until_loop-description = Where to end; six seconds after the beginning when left out, at most 30.
option-at = time
option-at-description = Which moment, such as 12.5 or 1:03; the beginning when left out.
option-quick = quick
option-quick-description = Faster, without encoding the picture again; some players show a moment before the beginning.
option-width = width
option-width-description = Width in pixels; when left out, it goes with the height.
option-height = height
option-height-description = Height in pixels; when left out, it goes with the width.
option-loop_width = width
option-loop_width-description = Width in pixels: 480 when left out; smaller pictures stay as they are.
option-fit = fit
option-fit-description = How the picture comes into a size of another shape.
option-rate = fps
option-rate-description = Pictures per second, such as 24, 29.97 or 60.
option-loop_rate = fps
option-loop_rate-description = Pictures per second: 12 when left out.
option-turn = turn
option-turn-description = How to turn or mirror it.
option-sound_format = format
option-sound_format-description = Kind of sound file: mp3 when left out.
option-picture_format = format
option-picture_format-description = Kind of picture.
option-loop_format = format
option-loop_format-description = GIF when left out; WebP is sharper and smaller.
option-columns = columns
option-columns-description = Pictures side by side: 4 when left out.
option-rows = rows
option-rows-description = Rows of pictures: 4 when left out.
option-highlight = highlight
option-highlight-description = Whether each word is coloured while it is said.
option-place = place
option-place-description = Where the captions stand: at the bottom when left out.
option-caption_size = size
option-caption_size-description = How large the captions are: medium when left out.
fit-inside = inside: all of the picture, as large as it fits
fit-fill = fill: cut off what goes over
fit-stretch = stretch
turn-right = to the right
turn-left = to the left
turn-over = upside down
turn-mirror = mirror left and right
turn-flip = flip top and bottom
sound_format-m4a = m4a: small, for most players
sound_format-wav = wav: nothing lost, large
sound_format-flac = flac: nothing lost, about half of wav
sound_format-mp3 = mp3: plays everywhere
sound_format-opus = opus: smallest
picture_format-png = png: nothing lost
picture_format-jpg = jpg: smaller
loop_format-gif = gif: plays everywhere
loop_format-webp = webp: sharper and smaller
place-bottom = at the bottom
place-top = at the top
caption_size-small = small
caption_size-medium = medium
caption_size-large = large
made-clip = Made for { $person }
made-cut = Cut for { $person }
made-resize = Resized for { $person }
made-fps = Frame rate changed for { $person }
made-turn = Turned for { $person }
made-audio = Sound taken for { $person }
made-frame = Picture taken for { $person }
made-sheet = Contact sheet for { $person }
made-gif = Loop made for { $person }
made-captions = Captions written for { $person }
stage-edit_clip = Editing the clip
stage-burn_captions = Writing captions into the picture
tool-no-stretch = A cut needs a beginning or an end.
tool-no-stretch-hint = Give “{ option-from }”, “{ option-until }” or both.
tool-empty-stretch = From { $start } to { $end } there is nothing.
tool-empty-stretch-hint = Choose an end after the beginning.
tool-short-stretch = A stretch has at least { $limit } seconds.
tool-short-stretch-hint = Choose a later end.
tool-long-loop = A loop lasts at most { $limit } seconds.
tool-long-loop-hint = Choose a shorter stretch, or use /{ command-clip } { command-cut } for a video.
tool-no-size = No size was given.
tool-no-size-hint = Give “{ option-width }”, “{ option-height }” or both.
tool-no-rate = No frame rate was given.
tool-no-rate-hint = Say how many pictures per second.
tool-no-number = { $value } is not a number.
tool-no-number-hint = Write a number, such as 12.5.
tool-bad-number = { $value } cannot be used.
tool-bad-number-hint = Choose a number within the limits of the option.
tool-beyond-end = The clip lasts { $length }, so there is nothing at { $at }.
tool-beyond-end-hint = Choose an earlier time.
tool-no-picture = This clip has no picture.
tool-no-picture-hint = Send a video.
tool-no-sound = This clip has no sound.
tool-no-sound-hint = Send a clip with sound.
tool-no-speech = Nobody speaks in this clip, so there is nothing to write.
tool-no-speech-hint = Send a clip with speech.
tool-no-font = This bot has no font for the letters of this clip.
tool-no-font-hint = Ask the people who run it to install one.
tool-codec = Pictures of this kind ({ $codec }) cannot be read.
tool-codec-hint = Convert the clip to mp4 and try again.
tool-damaged = The picture of this clip cannot be read.
tool-damaged-hint = Convert the clip to mp4 with another program and try again.
tool-joined = This clip is several recordings put together, so no picture can be found by its time.
tool-joined-hint = Export the clip again with another program and try again.
tool-no-copy = The picture of this clip cannot be cut without encoding it again.
tool-no-copy-hint = Leave out “{ option-quick }”.
tool-too-much = This is too much picture for one go: at this size and rate, at most { $length }.
tool-too-much-hint = Cut a shorter stretch first, or choose a smaller size.

## The message of a job

receiving = Downloading the clip …
waiting = { $count ->
    [0] Waiting: next in the queue.
    [one] Waiting: one clip is ahead.
   *[other] Waiting: { $count } clips are ahead.
}
wait-time = { $minutes ->
    [one] About a minute.
   *[other] About { $minutes } minutes.
}
starting = Starting …
message-closes = Discord lets the bot write here no longer than this: { $when }. After that the result comes to you as a direct message, or here when you press “{ button-fetch }”.
message-open = The bot can write here for 15 more minutes. The result comes into the message above.
attempt-again = The worker stopped; attempt { $attempt } continues where it left off.
time-left = about { $time } left
stage-probe = Reading the clip
stage-extract = Extracting the sound
stage-mix_down = Mixing down the sound
stage-route = Choosing the route
stage-separate = Taking the sound apart
stage-survey = Measuring the sound
stage-separate_part = Taking a part of the sound apart
stage-join_parts = Joining the parts
stage-survey_words = Looking where there are words
stage-transcribe_part = Writing down the words of a part
stage-join_words = Joining the words
stage-survey_speech = Measuring the speech
stage-segment_part = Finding out where somebody speaks in a part
stage-join_speech = Joining where somebody speaks
stage-survey_voices = Measuring the voices
stage-embed_part = Listening to the voices of a part
stage-join_voices = Grouping the voices
stage-split_background = Parting the background
stage-prepare_speech = Preparing the speech
stage-find_speech = Finding out where somebody speaks
stage-sample_voices = Listening whether the voices are clear
stage-compare_voices = Comparing the voices with the background
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
stage-apply_glossary = Applying the glossary
stage-edit_transcript = Applying corrections
stage-split_speakers = Giving each speaker a track
stage-find_chapters = Finding topics
stage-subtitles = Writing subtitles
stage-report = Drawing the picture
stage-compress = Making a smaller copy
made-separate = Separated for { $person }
made-transcribe = Transcribed for { $person }
made-remix = Remixed for { $person }
made-dub = Dubbed for { $person }
made-all = Separated, transcribed and remixed for { $person }
field-route = Route
route-asked = chosen by { $person }
field-speakers = Speakers
speakers-none = nobody
field-language = Language
field-duration = Length
field-loudness = Loudness
loudness-change = { $before } → { $after } LUFS
field-transcript = Who said what
field-draft = So far, before the speakers are told apart
field-notes = Notes
field-failed = Failed
field-large = Too large to post here
field-no-room = More files than a message has room for
field-smaller = Smaller copy here
field-whole = Full-size files
whole-on-page = All full-size files are on the page: press “Open page”.
whole-elsewhere = Use /{ command-share } to post them where larger files are allowed, or ask the people who run this bot.
batch-title = { $count } clips
batch-done = { $done } of { $count } done for { $person }.
batch-failed = { $count ->
    [one] One could not be processed.
   *[other] { $count } could not be processed.
}
batch-stopped = { $count ->
    [one] One was cancelled.
   *[other] { $count } were cancelled.
}
state-receiving = being downloaded
state-queued = waiting
state-running = in progress
state-finished = done
state-failed = could not be processed
state-stopped = cancelled
state-refused = not taken
cancelling-all = { $count ->
    [one] Stopping one clip. Finished work is kept.
   *[other] Stopping { $count } clips. Finished work is kept.
}
result-for = Here is the result for { $person }.
shared-by = { $person } shares this result.
cancelling = Stopping. Finished work is kept.
cancelled = Cancelled.
cancelled-kept = Cancelled. Finished work is kept: when the clip is run again, it continues from there.
job-failed = This clip could not be processed; { $person } was told why.
job-failed-why = This clip could not be processed: { $reason }
not-done = Not done.

## Buttons and forms

button-cancel = Cancel
button-cancelall = Cancel all
button-cancel-clip = Cancel { $name }
button-again = Again
button-again-clip = Again: { $name }
button-rebalance = Rebalance
button-rename = Rename speakers
button-names = Type the names
button-who = Name …
button-thisisme = This is me
button-notme = Not me
button-enrol = Keep my voice …
button-agree = Yes, this is my own voice; keep it
button-perhaps = { $more ->
    [0] Perhaps { $name }?
   *[other] Perhaps { $name }? (and { $more } more)
}
button-voiceyes = It is { $name }
button-voiceno = Not { $name }
button-speakers = Speakers { $first }–{ $last }
button-fix = Fix a line
button-earlier = Earlier
button-later = Later
button-goto = Go to a time
button-refresh = Refresh
button-split = Split it in two
button-lines = Back to the lines
button-undo = Undo
button-redo = Redo
button-mixagain = Mix again
button-tracks = A track per speaker
button-dub = Dub
button-thread = Thread
button-page = Open page
button-upload = Open the upload page
button-fetch = Show it here
button-revoke = Revoke all links
button-export = Get a copy
export-here = This is what is stored about you. Descriptions of voices are not in it; files that are too large for a message are named in data.json.
button-delete = Delete my data
button-delete-sure = Yes, delete everything
select-listen = Listen to …
sample-coming = A sample of “{ $part }” is coming …
sample-here = { $part }, { $start } to { $end }
sample-empty = This part of the result is empty; there is nothing to hear.
select-more = More …
more-notes = Notes ({ $count })
more-facts = How it was made
more-facts-about = Route, loudness, models and their licences
more-summary = Summary
more-summary-about = Sends the transcript to { $host } when you choose this
summary-by = By { $model } at { $host }, from the transcript. It can be wrong.
more-none = There is nothing more.
field-models = Models
file-audio = Sound track
file-final = New mix
lines-left = { $count ->
    [one] … and one more line
   *[other] … and { $count } more lines
}
select-subtitles = Get the transcript as …
format-txt = Plain text
format-md = Markdown document
format-srt = SubRip subtitles (srt)
format-vtt = WebVTT subtitles (vtt)
format-ass = Styled subtitles (ass)
format-rttm = Speaker times (rttm)
format-TextGrid = Praat (TextGrid)
format-docx = Word document (docx)
format-csv = Table of turns (csv)
format-talktime-csv = Talk time (csv)
format-xlsx = Turns and talk time (xlsx)
format-edl = Edit list for editors (edl)
format-json = Words with times (json)
form-rebalance = Rebalance
form-rebalance-preset = Mix
form-rebalance-none = use the volumes below
form-fader-hint = A number from 0 to 4, or decibels such as -3 dB; leave it empty for the volume of the mix.
part-voice = Voice
part-background = Background
part-music = Music
part-sfx = Sound effects
part-ambient = Ambience
form-rename = Who is who?
form-rename-says = “{ $words }”
form-which-are-you = Which one are you? Your name then stands in the transcript and its files for everybody who sees them.
form-name = Who is { $name }?
form-name-member = Member of this server
form-name-text = Or a name
form-name-alone = Name
form-name-hint = A chosen member comes first. Leave both empty to take the name back.
form-dub = Dub
form-dub-file = New voice track
form-dub-hint = A sound file as long as the clip, or a zip with its parts.
renamed = Renamed. The message shows the new names.
renamed-nobody = Nothing was changed.
named-you = You are “{ $name }” there. The message shows it in a moment; nobody is notified.
named-not-you = Your name is taken back. The message follows in a moment.
named-taken = This is { $person } already (“{ $name }”).
named-taken-hint = If that is wrong, press “Name …” and choose who it is.
named-taken-asker = This is { $person } already (“{ $name }”). If that is wrong, { $person } can press “Not me”, or { $asker }, who asked for the clip, or somebody who may manage messages here can change it.
voice-perhaps = { $speaker } (perhaps { $name }?)
voice-consent = **Keep your voice in this server?** (text { $version })
    • **What**: a list of numbers that describes your voice, made from { $source ->
        [recording] your recording
       *[clip] this clip
    }, with your id. It is biometric data. It is stored encrypted; it is never part of an export, a log or a message, and is not shared or used to train models.
    • **For what**: only to put your name to your voice in new clips that are sent in this server. Whoever sees such a transcript then sees your name. Where it is not certain, people are asked. When you confirm yourself that it is you, the new speech is added.
    • **How long**: until you take it back, but { $days } days at most; { $left } days after you leave the server; until the server turns this off or the bot’s operator removes it.
    • **How to take it back**: `/{ command-voice } { command-forget }` deletes it at once, with `{ option-past }` your name in earlier transcripts, too; `/{ command-privacy }` deletes everything. Nothing else depends on your yes.
    You may only keep your own voice.
voice-consent-recording = • **The recording**: it is fetched only after your yes, heard on our computers for this alone, and then deleted, whether your voice is kept or not. It stands in no channel, and nothing that you say in it is written down.
voice-recording-heard = Your recording is being heard. What comes of it is said here, or else in a direct message.
voice-recording-gone = The recording is deleted, and so is all that was made of it.
voice-recording-going = The recording is deleted as soon as the store can be reached.
voice-withdrawn = Your voice is not kept: the yes was taken back meanwhile.
voice-other-recording = Only whoever sent this recording can say yes to it.
voice-other-recording-hint = Use `/{ command-voice } { command-enrol }` with a recording of your own voice.
voice-several = Several voices are heard in this recording.
voice-several-hint = Send one in which you speak alone.
voice-kept = Your voice is kept. `/{ command-voice } { command-forget }` deletes it at once.
voice-enabled = The voice-book is on. Nobody’s voice is in it until they say yes themselves: everybody can use `/{ command-voice } { command-enrol }` with a recording of themselves, or after pressing “{ button-thisisme }” below a clip.
voice-disabled = { $count ->
    [0] The voice-book is off. There was no voice in it.
    [one] The voice-book is off, and the voice in it is deleted.
   *[other] The voice-book is off, and the { $count } voices in it are deleted.
}
voice-forgotten = Your voice is deleted. New clips are not compared with it any longer.
voice-was-none = No voice of yours was kept here.
voice-off = This server has no voice-book.
voice-off-hint = Those who manage the server turn it on with `/{ command-voice } { command-enable }`.
voice-status-none = This server has a voice-book. Your voice is not in it; `/{ command-voice } { command-enrol }` says what that would mean.
voice-status-kept = Your voice is kept here since { $since } (text { $version }). `/{ command-voice } { command-forget }` deletes it at once.
voice-no-key = A voice-book needs a key that encrypts the voices, and this bot has none.
voice-no-key-hint = Whoever runs the bot sets STEMCORD_ENCRYPTION_KEYS.
voice-no-consent = There is no consent to keep this voice.
voice-text-changed = The text has changed since it was shown.
voice-text-changed-hint = Use `/{ command-voice } { command-enrol }` to read it again.
voice-not-yours = Only your own voice can be kept, of a speaker of whom you said yourself that it is you.
voice-not-yours-hint = Press “{ button-rename }” below the clip, then “{ button-thisisme }”.
voice-no-clip = There is no clip here in which you said which speaker you are.
voice-no-clip-hint = Send a recording of your voice with the command (`{ option-recording }`), or press “{ button-rename }” below a clip and then “{ button-thisisme }”.
voice-short = Too little of this voice is heard alone; { $seconds } seconds are needed.
voice-short-hint = Use a clip or a recording in which you speak longer.
voice-of-another = This voice is like that of somebody else who had theirs kept here.
voice-of-another-hint = Use a clip or a recording in which you alone are this speaker.
voice-not-asked = Only that person, the person who asked for the clip, and those who may manage messages here can answer this.
voice-answered = This was answered already, or the voice is no longer kept.
voice-taken-back = The name is taken back. The message follows in a moment.
name-app = This is an app, and no person.
name-left = This person is not on the server.
name-left-hint = Choose a member, or type the name.
select-line = Choose a line ({ $first } to { $last } of { $count })
option-unsure = Hard to hear: { $words }
option-new-speaker = A new speaker
form-line = Line at { $time }
form-line-text = What is said
form-line-text-hint = Press Enter where a new line is to begin.
form-line-speaker = Who says it
form-line-speaker-hint = For all of it. After a split, each part can be given to somebody else.
form-line-then = What to do with the line
then-keep = Keep it
then-join = Join it with the next line
then-delete = Delete it
form-goto = Time in the clip, such as 1:23
line-choose = Choose the line to fix. Below a line are the words that were hard to hear.
line-saved = Saved. It now reads:
line-deleted = Deleted:
line-undone = Undone:
line-same = Nothing was changed.
files-follow = The files of the result follow in a few seconds.
line-conflict = Not saved: { $who } changed this { $when }.
line-now = It now reads:
line-now-gone = The line is no longer there.
line-try-again = Choose the line again to change it.
line-typed = What you wrote
line-long = This line has { $count } characters, and a form has room for { $limit }. Split it first.
line-long-page = This line has { $count } characters, and a form has room for { $limit }. Split it first, or press “{ button-page }” below the result and edit it there.
mixing-again = The clip is mixed again. The message of the result changes when that is done.
making-tracks = Each speaker gets a track. The message of the result changes when that is done.
tracks-already = Each speaker has a track already.
subtitles-here = Here it is.
thread-name = Transcript of { $name }
thread-made = The transcript is in { $thread }.
page-here = This link expires { $when }. Anyone who has it can see the result and edit its transcript; the page shows an address without that right.
page-here-sign-in = This link expires { $when }. People sign in with Discord to open it, and see it only if they can see the channel.
links-revoked = { $count ->
    [0] No link to this page was in use.
    [one] The link to this page no longer works.
   *[other] All { $count } links to this page no longer work.
}

## Jobs, settings, privacy, help

jobs-title = Your clips
jobs-none = You have no clips here yet. Send one with /{ command-process }.
status-queued = { $count ->
    [0] next in the queue
    [one] waiting, one clip is ahead
   *[other] waiting, { $count } clips are ahead
}
status-running = in progress
status-finished = done
status-failed = failed
status-stopped = cancelled
shared = Posted in { $channel }.
settings-title = Settings of this server
settings-saved = Saved.
setting-preset = Preset
setting-language = Spoken language
setting-minutes = Longest clip
setting-at_once = At once, per person
setting-minutes_person = Per day, per person
setting-minutes_server = Per day, whole server
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
value-default = default
value-detected = detected for each clip
value-everybody = everybody
glossary-title = Glossary of this server
glossary-empty = It has no terms yet. Those who manage this server add them with /{ command-glossary } { command-add }.
glossary-added = { $count ->
    [0] Nothing was added: it is all there already.
    [one] Added one term.
   *[other] Added { $count } terms.
}
glossary-total = { $count ->
    [one] The glossary has one term, for all clips sent from now on.
   *[other] The glossary has { $count } terms, for all clips sent from now on.
}
glossary-removed = Removed: { $terms }
glossary-members = The names of the members are used, too.
glossary-members-on = { $count ->
    [0] The names of the members are used from now on, for new clips; at present there are none that people would say.
    [one] The names of the members are used from now on, for new clips; at present there is one.
   *[other] The names of the members are used from now on, for new clips; at present there are { $count }.
}
glossary-members-off = The names of the members are not used for new clips.
privacy-title = What is stored about you
privacy-text =
    For each clip: who sent it and where, its name and length, the clip itself, the result, and the names you gave to speakers. Which speakers are you, where you or others said so. For fair limits: how many minutes you sent per day.
    Your voice only where you said yes to that yourself (/{ command-voice } { command-status }).
    The bot does not read what you write in channels, and gives nothing to others.
    { $days ->
        [one] After one day
       *[other] After { $days } days
    } it is deleted. You can delete your data now; messages in channels stay until you delete them there.
privacy-summary = One exception: when somebody asks for the summary of a result, its transcript is sent to { $host }.
privacy-sure = This stops your clips and deletes your results for everybody. It cannot be undone.
privacy-deleted = { $count ->
    [0] There was nothing to delete.
    [one] Deleted: one clip.
   *[other] Deleted: { $count } clips.
}
help-title = What this bot can do
help-text = Send a clip with one of these commands, or right-click a message that has one and choose Apps. Or send it with a mention of this bot, in a reply to it, or as a direct message. The result is posted in the channel, with buttons for what to do next.
help-more =
    • **Language**: detected when you choose none. Choose it with “{ option-language }”, also Chinese mixed with English (zh-en), which works best with the studio preset.
    • **Sound track**: when a clip has several, the result says which one was heard. Choose another with “{ option-track }”.
    • **Mix**: ready-made as podcast, cinema, karaoke, clean dialogue or original, or set the volume of each part.
    • **Below a result**: “{ button-rebalance }”, “{ button-rename }” (with a sample of each voice), “{ button-fix }”, “{ button-tracks }”, “{ button-dub }”, “{ button-thread }”, and the transcript as subtitles or text. The buttons work for days.
help-page = • **Page**: “{ button-page }” shows the result in the browser: a player, captions, the stems on a mixer, a transcript that follows the sound, and all files. Whoever has the link sees the page, until it expires.
help-summary = • **Summary**: “{ select-more }” below a result has one of its transcript. It is made by { $model } at { $host }; the transcript is sent there when somebody asks for it, and never otherwise.
help-page-sign-in = • **Page**: “{ button-page }” shows the result in the browser: a player, captions, the stems on a mixer, a transcript that follows the sound, and all files. You sign in with Discord first; only people who can see the channel see the page.

## Refusals and errors

send-a-clip = Send a video or a sound file, and you get it back taken apart, transcribed and mixed anew. With “{ command-separate }”, “{ command-transcribe }” or “{ command-remix }” beside it, only that is done. /{ command-help } shows the rest.
no-clip = This message has no video or sound file.
no-clip-hint = Choose a message with a clip attached.
too-many-files = This message has { $count } files; the limit is { $limit }.
too-many-files-hint = Choose a message with fewer files.
not-yours-cancel = Only the person who asked, or people who may manage messages here, can cancel this.
not-yours = Only the person who asked, or people who may manage messages here, can do this.
not-visible = You cannot see the channel of this result.
not-manager = Only people who may manage this server can change its settings, its glossary and its voice-book.
not-here = This works only on a server.
role-missing = On this server you need one of these roles to use the bot: { $roles }
ended = This job has already ended.
result-gone = This result is no longer kept.
result-gone-hint = Send the clip again.
edit-conflict = Somebody else has changed this meanwhile: { $what }.
edit-conflict-hint = Look at the transcript as it is now and make your change again.
edit-unknown = Your change is of another transcript.
edit-too-large = The change is too large.
edit-too-large-hint = Change fewer words at once.
edits-too-many = This transcript has had { $count } changes, and can have no more.
edits-too-many-hint = Download the transcript and change the file.
line-gone = This line is no longer there.
line-gone-hint = Press “{ button-fix }” again to see the lines as they are now.
line-empty = The line has no words.
line-empty-hint = Write at least one, or choose “{ then-delete }”.
line-last = There is no line after this one.
line-one-word = This line is one word, which cannot be split.
line-one-word-hint = Download the transcript and change the file.
word-long = A word has more than { $count } characters.
word-long-hint = Put spaces between words.
bad-time = { $value } is not a time.
bad-time-hint = Write it like 1:23 or 1:02:03.
mixed-already = This mix already follows the transcript.
no-summaries = This bot makes no summaries.
summary-failed = The summary could not be made.
summary-waiting = A summary that you asked for is still being made.
summary-waiting-hint = Ask again when it is there.
summary-too-long = This transcript is too long for a summary.
no-such-part = This result does not have what this needs.
upload-link = Send a clip of up to { $limit } on this page. The link is yours alone, for one clip, and ends { $when }. The result comes into this channel.
upload-link-outside = Send a clip of up to { $limit } on this page. The link is yours alone, for one clip, and ends { $when }. The bot is no member here, so the result comes to you as a direct message.
upload-of = A clip that { $person } sent by the upload page.
uploads-many = Too many clips are being sent right now.
uploads-own = You are sending { $count } clips by upload pages already.
uploads-own-hint = Finish or cancel one of them; what is left alone ends after an hour.
upload-used = A clip was already sent with this link.
upload-used-hint = Use /{ command-upload } again for another one.
upload-not-allowed = You can no longer use commands in the channel to which this clip would go.
upload-not-allowed-hint = Use /{ command-upload } in a channel where you may.
no-pages = This bot has no result pages.
bad-fader = { $value } is not a volume.
bad-fader-hint = Use a number from 0 to 4, or decibels such as -3 dB.
members-refused = Discord does not tell this bot who is on this server.
members-refused-hint = Ask whoever runs the bot to turn on “Server Members Intent” in Discord's developer portal, or add names with /{ command-glossary } { command-add }.
glossary-none = No terms were given.
glossary-none-hint = Write them with commas between them, or attach a text file with a term on each line.
glossary-full = The glossary would have { $count } terms; the limit is { $limit }.
glossary-full-hint = Nothing was changed. Add only terms that are written wrongly without it.
glossary-file = { $name } cannot be read as text.
glossary-large = { $name } has more than { $limit } kB.
glossary-file-hint = Attach a text file (UTF-8) with a term on each line.
glossary-unknown = { $term } is not in the glossary.
glossary-unknown-hint = Choose a term that is offered, or look at /{ command-glossary } { command-list }.
term-unseen = A term holds a character that cannot be seen.
term-unseen-hint = Nothing was changed. Write the term again.
term-long = The term “{ $term }” is too long.
term-long-hint = Nothing was changed. Give each term at most 4 words and 60 characters.
term-short = The term “{ $term }” is too short.
term-short-hint = Nothing was changed. Give each term at least 3 letters or digits.
may-not-post-you = You may not post in { $channel }.
may-not-post-bot = The bot may not post in { $channel }.
may-not-thread = The bot may not create threads here.
post-hint = Ask someone who manages this server.
not-shared = The result could not be posted in { $channel }.
quota-at-once = You already have { $used } of { $limit } clips in progress.
quota-at-once-hint = Wait until one is done, or cancel one with /{ command-jobs }.
quota-person = You have used { $used } of your { $limit } minutes today; { $left } are left.
quota-server = This server has used { $used } of its { $limit } minutes today; { $left } are left.
quota-summaries = Your share of today’s summaries is used up.
queue-long = { $minutes ->
    [one] There is too much to do: your clip would wait for about a minute.
   *[other] There is too much to do: your clip would wait for about { $minutes } minutes.
}
queue-long-hint = Send it again later; nothing was kept.
quota-reset = It resets { $when }.
clip-empty = { $name } is empty.
clip-large = { $name } is { $size }; the limit is { $limit }.
clip-large-hint = Send a shorter or smaller clip.
clip-no-media = { $name } is not a video or sound file.
clip-picture = { $name } is a picture, which has no sound.
clip-no-media-hint = Send a video or sound file with an audio track (mp4, mov, mkv, webm, mp3, m4a, wav, flac, ogg and others).
link-bad = This is not a link to a file.
link-bad-hint = Give an address that begins with https:// and ends with the name of a video or sound file.
link-host = This bot takes no clips from { $host }.
link-host-hint = Upload the clip, or ask the people who run this bot which hosts it allows.
link-failed = The clip could not be downloaded from { $host }.
link-failed-hint = Try again in a minute, or upload the clip.
clip-or-link = Give either a clip or a link.
clip-or-link-hint = One of the two is needed, and not both.
wrong-host = The clip is not stored on Discord.
wrong-host-hint = Upload the clip to Discord and try again.
clip-interrupted = The bot restarted before it had the whole clip.
clip-gone = The clip is no longer there.
clip-gone-hint = Upload the clip again.
download-failed = The clip could not be downloaded from Discord in time.
try-soon = Try again in a minute.
try-later = Try again later; if it fails again, tell the people who run this bot.
queue-unavailable = The bot cannot reach its workers right now.
store-unavailable = The bot cannot reach its storage right now.
disk-full = A disk of the bot is full.
models-unavailable = The models for this are not ready on this bot.
attempts-used = The clip was tried several times and failed every time.
unknown-error = Something went wrong in the bot (reference { $reference }).
choice-error = { $value } cannot be used for that option.
choice-hint = Choose one of the values that are offered.
button-gone = This button is no longer known.
button-gone-hint = Use the command again, or a button of a newer message.
not-one-file = Choose one file, not { $count }.
not-one-file-hint = Upload the new voice track in the form.
out-of-date = This command has changed.
out-of-date-hint = Reload Discord and try again.
job-lost = The job was removed before it ended.
error-MediaError = This file cannot be used as a clip.
error-LimitError = This clip is longer or larger than this bot allows.
error-ValidationError = The file or one of the options cannot be used.
error-FFmpegError = The clip could not be read or written.
error-SeparationError = The sound could not be separated.
error-DiarizationError = The speakers could not be told apart.
error-TranscriptionError = The words could not be recognised.
error-MixError = The parts could not be mixed.
error-EngineTimeoutError = Processing the clip took longer than allowed.
error-EngineError = A program that processes clips stopped unexpectedly.
error-AudioProcessingError = The clip could not be processed.
ack-timeout = The bot could not look this up in time.
database-unavailable = The bot cannot reach its database right now.
error-hint-input = Check the file and the options and try again.
error-detail = { $sentence } ({ $detail })

## The upload page

upload-title = Send a clip
upload-about = Up to { $limit }, video or sound. When it is here, the result comes into the channel in which you asked for this page.
upload-choose = Choose a file
upload-drop = or drop it here
upload-progress = Sent
upload-pause = Pause
upload-resume = Go on
upload-cancel = Cancel
upload-script = This page needs JavaScript.
upload-sent = { $done } of { $whole }
upload-going = { $done } of { $whole }, { $left } left
upload-waiting = The connection was lost. It goes on by itself as soon as it is back.
upload-paused = Paused. Press “{ upload-resume }”, within an hour.
upload-checking = All of it is here. One moment …
upload-done = Done. Follow the clip in Discord; you can close this page.
upload-again = The server cannot be reached. Try again.
upload-stopped = Cancelled. Nothing of it was kept.
upload-ended = This link has ended. Use /{ command-upload } again.
upload-other = { $name } is half here ({ $done } of { $whole }). Choose the same file again to go on.

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
page-hear = Listen to
page-hear-stems = Stems
page-hear-mix = Finished mix
page-mute = Mute
page-solo = Solo
page-gain = Volume
page-keys = Keys: space plays and pauses, arrows move 5 seconds, M and S mute and solo the selected stem.
page-follow = Follow
page-go-to = Go to { $time }
page-overlap = at the same time
page-more-lines = The rest of the transcript is shown with JavaScript. The files below have all of it.
page-unsure = Recognised with { $share } % certainty
page-term = The glossary put this in; heard: { $words }
page-terms = Put in by the glossary
page-put-back = Put back “{ $words }” for “{ $text }”
page-chapters = { $count ->
    [one] One topic
   *[other] { $count } topics
}
page-find = Find
page-found = { $number } of { $count }
page-play-line = Play this line
page-edit = Edit
page-undo = Undo
page-redo = Redo
page-history = History
page-edit-keys = Keys
page-next-line = next line
page-previous-line = previous line
page-play-pause = play and pause
page-give-number = give to that speaker
page-new-speaker = New speaker
page-speaker-number = Speaker { $number }
page-split = Split
page-merge = Merge
page-add-line = Add
page-delete-line = Delete
page-drop = Discard
page-save-mine = Save mine
page-drop-mine = Discard mine
page-line-text = Text of the line
page-line-write = What is said here?
page-line-acts = Change the line
page-give-line = Speaker
page-give-words = “{ $words }” goes to
page-saving = Saving …
page-unsaved = Not saved: { $reason }
page-unsaved-conflict = { $name } changed this line at { $time }. Look at it and try again.
page-unsaved-refused = This change does not fit the transcript. Reload the page and try again.
page-unsaved-forbidden = You can no longer edit here. Copy what you typed and open the page again from Discord.
page-unsaved-gone = The result is no longer here. Copy what you typed before you leave the page.
page-unsaved-large = That is too much at once. Split the line, or write less.
page-unsaved-often = Too many changes in a short time. Try again in a minute.
page-unsaved-away = The server cannot be reached. What you typed stays here; save again in a moment.
page-somebody = Somebody else
page-line-changed = { $name } changed this line at { $time }. It now reads: “{ $text }”
page-line-empty = A line needs a word. Write one, or delete the line.
page-line-gone = The line in which you were writing is gone. This is what you typed:
page-write-again = Add as a line
page-others-changed = { $name } changed the transcript at { $time }.
page-split-where = Put the cursor between two words to split the line there.
page-merge-none = There is no line after this one.
page-history-more = Show more
page-as-recognised = As recognised
page-back-here = Back to here
page-now-here = now
page-did-set-words = corrected
page-did-give = changed the speaker
page-did-split = split a line
page-did-merge = merged lines
page-did-delete = deleted a line
page-did-add = added a line
page-did-rename = renamed
page-did-replace = went back
page-save = Save
page-saved = Saved.
page-not-saved = The names could not be saved. Try again.
page-downloads = Files
page-zip = All as a zip
page-view-only = Address to share, without the right to edit:
page-forged = This link does not work.
page-forged-hint = Open the page again with the button below the result in Discord.
page-expired = This link has expired.
upload-expired = This link has ended.
upload-expired-hint = Use /{ command-upload } in Discord to get a new one.
upload-busy = This clip is being sent from another window.
upload-busy-hint = Close the other window, or wait a moment.
upload-offset = The clip is at another place than your browser thinks.
upload-offset-hint = Reload the page and choose the same file again.
upload-submitting = All of this clip is here, and it is being taken over.
upload-submitting-hint = Wait a moment.
upload-slow = The clip comes too slowly.
upload-slow-hint = It goes on from where it is as soon as the connection is better.
upload-removed = This upload was deleted.
upload-removed-hint = Use /{ command-upload } in Discord to send the clip again.
upload-number = Upload-Length and Upload-Offset have to be whole numbers of at most 15 digits.
upload-number-hint = Reload the page and choose the file again.
upload-encoding = The clip has to be sent as it is, without Content-Encoding.
upload-encoding-hint = Reload the page and choose the file again.
upload-type = The bytes of a clip are sent as application/offset+octet-stream.
upload-type-hint = Reload the page and choose the file again.
page-expired-hint = Press “Open page” below the result in Discord to get a new one.
page-no-file = This result has no such file.
page-no-file-hint = Go back to the page and choose a file from its list.
page-not-yours = This link does not allow renaming speakers.
page-not-yours-hint = Press “Open page” below the result in Discord to get your own link.
page-bad-request = This request could not be understood.
page-bad-request-hint = Reload the page and try again.
page-none = There is nothing here.
page-none-hint = Open the page with the button below the result in Discord.
page-revoked = This link was revoked.
page-revoked-hint = Ask the person who gave it to you, or press “Open page” below the result in Discord.
pending-about = It is still being worked on. This page keeps itself up to date.
pending-stems = To hear already
page-pending = This job is still running.
page-pending-hint = Wait a moment and load the page again.
page-ended = This job ended without a result.
page-ended-hint = Its message in Discord says why.
page-gone = This result is no longer kept.
page-gone-hint = Send the clip again in Discord.
page-not-visible = The person who made this link can no longer see the channel of the result.
page-not-visible-hint = Ask someone who can see it for a new link.
page-too-often = Speakers were renamed too often in a short time.
page-too-often-hint = Try again in ten minutes.
page-sign-in = Sign in with Discord to see this.
page-sign-in-hint = Open the link of the page again.
page-sign-in-failed = Discord did not say who you are.
page-sign-in-failed-hint = Open the link of the page again and allow it.
page-not-for-you = You cannot see the channel of this result.
page-not-for-you-hint = Open the link again to sign in with another account, or ask for access to the channel.
page-away = The result cannot be reached right now.
page-away-hint = Try again in a minute.

## Search

find-title = Found for “{ $words }”
find-none = Nothing was found.
find-none-hint = Only recordings count whose channel you may read now and that are still kept. Fewer or other words may help, or the beginning of a word, such as “budg*”.
find-partial = No line has all these words; these come nearest.
find-more = There is more. Further words, “{ option-by }”, “{ option-since }” or “{ option-in }” narrow it down.
find-empty = There is no word to look for.
find-empty-hint = Type one or more words, a phrase in quotation marks, or the beginning of a word, such as “budg*”.
find-long = That is too much to look for at once; there is room for { $limit } characters and a few words.
find-long-hint = Type the most telling words.
find-since = This date cannot be read.
find-since-hint = Write a date such as 2026-11-30, or an age such as 12h, 7d, 2w or 3m.
find-nobody = This person is not here.
find-nobody-hint = Choose a member of this server, or type the name of a speaker.
button-excerpt = ▶ Hear { $number }
button-page-at = Page { $number }
excerpt-coming = The excerpt is coming …
excerpt-here = { $start } to { $end }

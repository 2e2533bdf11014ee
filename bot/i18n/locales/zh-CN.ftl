### 机器人的全部文本（简体中文）。各文件的键与变量必须一致。

## 命令、选项与可选值

command-separate = 分离
command-separate-description = 把片段的声音分离成人声和背景声。
command-transcribe = 转写
command-transcribe-description = 写出片段里谁说了什么。
command-remix = 混音
command-remix-description = 把片段的人声和背景声重新混合。
command-dub = 配音
command-dub-description = 用另一条音轨替换片段里的人声。
command-process = 全部处理
command-process-description = 一次完成：分离声音、转写对话、重新混音。
command-jobs = 任务
command-jobs-description = 你的片段：查看排队位置、取消或重新运行。
command-share = 分享
command-share-description = 把你的一个结果发到其他频道或子区。
command-settings = 设置
command-settings-description = 查看或修改本服务器的限制和默认选项。
command-privacy = 隐私
command-privacy-description = 机器人保存了你的哪些信息，以及如何删除。
command-help = 帮助
command-help-description = 这个机器人能做什么。
menu-separate = 分离声音
menu-transcribe = 转写对话
menu-remix = 重新混音
menu-process = 全部处理
option-clip = 片段
option-clip-description = 视频或音频文件。
option-route = 路线
option-route-description = 处理方式；不选则根据片段自动判断。
option-preset = 模型
option-preset-description = 使用哪一套模型。
option-language = 语言
option-language-description = 片段里说的语言，也可以是中英文混合 (zh-en)；不填则自动识别。
option-speakers = 人数
option-speakers-description = 有几个人说话；不填则自动判断。
option-parts = 背景分轨
option-parts-description = 是否（parts）把背景声再分成音乐、音效和环境声。
option-track = 音轨
option-track-description = 片段有多条音轨（track）时用第几条，从 1 开始数；不填则自动选择。
option-mix = 混音方案
option-mix-description = 现成的混音方案；下面的各项音量会覆盖它。
option-loudness = 响度
option-loudness-description = 混音后的整体响度。
option-voice = 人声
option-voice-description = 人声音量，默认 1.0，0 为静音。
option-background = 背景声
option-background-description = 其余声音的音量，默认 0.7，0 为静音。
option-music = 音乐
option-music-description = 音乐音量（能单独分离时有效）。
option-sfx = 音效
option-sfx-description = 音效音量（能单独分离时有效）。
option-ambient = 环境声
option-ambient-description = 环境声音量（能单独分离时有效）。
option-dub = 配音文件
option-dub-description = 新的人声音轨，或装有各段配音的 zip。
option-result = 结果
option-result-description = 哪一个结果。
option-to = 发到
option-to-description = 接收结果的频道或子区。
option-minutes = 片段时长
option-minutes-description = 单个片段最长多少分钟。
option-at_once = 同时数量
option-at_once-description = 每人同时可以处理几个片段。
option-minutes_person = 每人分钟数
option-minutes_person-description = 每人每天可以提交多少分钟的片段。
option-minutes_server = 服务器分钟数
option-minutes_server-description = 本服务器所有人每天可以提交多少分钟的片段。
option-allow_role = 允许身份组
option-allow_role-description = 可以使用机器人的身份组；一个都没有时所有人都能用。
option-remove_role = 移除身份组
option-remove_role-description = 不再允许使用机器人的身份组。
option-retention = 保留天数
option-retention-description = 结果保留多少天。
route-basic = 基本：只提取原声音轨
route-dialogue = 对话：谈话、采访、通话
route-cinematic = 影视：电影、电视，音乐或噪声较多
parts-auto = 自动：只给出效果好的部分
parts-all = 全部：音乐、音效和环境声，即使较粗糙
parts-none = 不分：保留完整背景声
preset-pocket = 轻便：模型小、速度快
preset-studio = 专业：完整模型
language-zh-en = 中英文混合
mix-original = 原样：与原片一致
mix-podcast = 播客：对话清晰易听
mix-cinema = 影院：完整动态，对白略突出
mix-karaoke = 卡拉 OK：去掉人声
mix-clean-dialogue = 纯对白：只留人声
loudness-original = 与原片一样响
loudness-streaming = 流媒体：-14 LUFS
loudness-podcast = 播客：-16 LUFS
loudness-broadcast = 欧洲广播：-23 LUFS
loudness-broadcast-us = 美国广播：-24 LUFS

## 任务的消息

receiving = 正在下载片段……
waiting = { $count ->
    [0] 排队中：下一个就是它。
   *[other] 排队中：前面还有 { $count } 个片段。
}
starting = 正在开始……
attempt-again = 处理进程中断了；第 { $attempt } 次尝试会从中断处继续。
time-left = 大约还需 { $time }
stage-probe = 读取片段
stage-extract = 提取声音
stage-mix_down = 混缩声音
stage-route = 选择路线
stage-separate = 分离声音
stage-split_background = 分离背景声
stage-prepare_speech = 准备语音
stage-diarize = 区分说话人
stage-transcribe = 识别文字
stage-align = 把文字对应到说话人
stage-embed_speakers = 提取声音特征
stage-match_speakers = 查找已知的声音
stage-measure = 测量响度
stage-dub = 对齐配音
stage-render_dub_comparison = 对照配音与原声
stage-mix = 混音
stage-mux = 合成声音与画面
stage-subtitles = 生成字幕
stage-report = 绘制图表
stage-compress = 制作较小的副本
made-separate = 已为 { $person } 分离声音
made-transcribe = 已为 { $person } 转写
made-remix = 已为 { $person } 重新混音
made-dub = 已为 { $person } 配音
made-all = 已为 { $person } 分离、转写并重新混音
field-route = 路线
route-asked = 由 { $person } 选择
field-speakers = 说话人
speakers-none = 没有人说话
field-language = 语言
field-duration = 时长
field-loudness = 响度
loudness-change = { $before } → { $after } LUFS
field-transcript = 谁说了什么
field-notes = 说明
field-failed = 失败的部分
field-large = 文件太大，无法发在这里
field-smaller = 此处为压缩版
field-whole = 完整文件
whole-on-page = 所有原始大小的文件都在网页上：请按“打开网页”。
whole-elsewhere = 请用 /{ command-share } 发到允许更大文件的地方，或联系此机器人的管理者。
result-for = { $person } 的结果在这里。
shared-by = { $person } 分享了这个结果。
cancelling = 正在停止；已完成的部分会保留。
cancelled = 已取消。
cancelled-kept = 已取消。已完成的部分会保留：再次运行这个片段时会从那里继续。
job-failed = 这个片段无法处理；原因已告知 { $person }。
job-failed-why = 这个片段无法处理：{ $reason }
not-done = 未完成。

## 按钮与表单

button-cancel = 取消
button-cancel-clip = 取消 { $name }
button-again = 重新运行
button-again-clip = 重新运行：{ $name }
button-rebalance = 调整音量
button-rename = 修改说话人名字
button-dub = 配音
button-thread = 发到子区
button-page = 打开网页
button-revoke = 撤回所有链接
button-delete = 删除我的数据
button-delete-sure = 确定，全部删除
select-subtitles = 获取字幕或文稿……
format-txt = 纯文本
format-md = Markdown 文档
format-srt = SubRip 字幕 (srt)
format-vtt = WebVTT 字幕 (vtt)
format-ass = 带样式的字幕 (ass)
format-rttm = 说话时间 (rttm)
format-TextGrid = Praat (TextGrid)
format-json = 带时间的逐词文稿 (json)
form-rebalance = 调整音量
form-rebalance-preset = 混音方案
form-rebalance-none = 使用下面填写的音量
form-fader-hint = 0 到 4 之间的数字，或分贝，如 -3 dB；留空则使用混音方案的音量。
part-voice = 人声
part-background = 背景声
part-music = 音乐
part-sfx = 音效
part-ambient = 环境声
form-rename = 他们是谁？
form-rename-says = “{ $words }”
form-dub = 配音
form-dub-file = 新的人声音轨
form-dub-hint = 与片段等长的音频文件，或装有各段配音的 zip。
renamed = 已改名，消息里显示的是新名字。
subtitles-here = 文件在这里。
thread-name = { $name } 的文稿
thread-made = 文稿已发到 { $thread }。
page-here = 此链接 { $when } 失效。拿到链接的人都能看到结果，也能给说话人改名；页面上另有一个不能改名的分享地址。
page-here-sign-in = 此链接 { $when } 失效。打开时需用 Discord 登录，只有能看到该频道的人才能看到结果。
links-revoked = { $count ->
    [0] 已经没有仍在使用的页面链接。
   *[other] { $count } 个页面链接已全部失效。
}

## 任务、设置、隐私、帮助

jobs-title = 你的片段
jobs-none = 你在这里还没有片段。用 /{ command-process } 发送一个吧。
status-queued = { $count ->
    [0] 下一个就是它
   *[other] 排队中，前面还有 { $count } 个片段
}
status-running = 正在处理
status-finished = 已完成
status-failed = 失败
status-stopped = 已取消
shared = 已发到 { $channel }。
settings-title = 本服务器的设置
settings-saved = 已保存。
setting-preset = 模型
setting-language = 片段语言
setting-minutes = 片段时长上限
setting-at_once = 每人同时数量
setting-minutes_person = 每人每天
setting-minutes_server = 服务器每天
setting-roles = 可以使用机器人
setting-retention = 结果保留
value-minutes = { $count } 分钟
value-clips = { $count } 个片段
value-days = { $count } 天
value-default = 默认
value-detected = 每个片段自动识别
value-everybody = 所有人
privacy-title = 机器人保存了你的哪些信息
privacy-text =
    每个片段：谁在哪里发送、名称、时长、片段本身、结果，以及你给说话人起的名字。为了公平分配：你每天提交了多少分钟。
    机器人不会读取你在频道里写的内容，也不会把任何信息交给他人。
    { $days } 天后自动删除。你也可以现在就删除属于你的数据；频道里的消息会保留，需要你自己删除。
privacy-sure = 这会停止你的任务并删除你的结果，其他人也将无法再使用这些结果。此操作无法撤销。
privacy-deleted = { $count ->
    [0] 没有需要删除的内容。
   *[other] 已删除 { $count } 个片段。
}
help-title = 这个机器人能做什么
help-text = 用下面的命令发送一个片段，或者右键点击带有片段的消息并选择“APP”。结果会发到频道里，并带有后续操作的按钮。
help-more =
    • **语言**：不填则自动识别。也可以在“{ option-language }”里指定，包括中英文混合 (zh-en)，用“专业”模型效果最好。
    • **音轨**：片段有多条音轨时，结果会说明用了哪一条；用“{ option-track }”选择另一条。
    • **混音**：现成方案有播客、影院、卡拉 OK、纯对白和原样，也可以逐项填写音量。
    • **结果下方的按钮**：“{ button-rebalance }”、“{ button-rename }”（附每个人的声音片段）、“{ button-dub }”、“{ button-thread }”，还能获取字幕或文稿。几天之内都可以使用。
help-page = • **网页**：“{ button-page }”在浏览器里查看结果，有播放器、字幕、分轨混音台、随声音移动的文稿和全部文件。在失效之前，拿到链接的人都能看到该网页。
help-page-sign-in = • **网页**：“{ button-page }”在浏览器里查看结果，有播放器、字幕、分轨混音台、随声音移动的文稿和全部文件。打开前需用 Discord 登录，只有能看到该频道的人才能看到网页。

## 拒绝与错误

no-clip = 这条消息里没有视频或音频文件。
no-clip-hint = 请选择一条附有片段的消息。
too-many-files = 这条消息有 { $count } 个文件，上限是 { $limit } 个。
too-many-files-hint = 请选择文件较少的消息。
not-yours-cancel = 只有提交者本人，或可以管理本频道消息的人，才能取消它。
not-yours = 只有提交者本人，或可以管理本频道消息的人，才能这样做。
not-visible = 你看不到这个结果所在的频道。
not-manager = 只有可以管理本服务器的人才能修改设置。
not-here = 此功能只能在服务器里使用。
role-missing = 在本服务器使用机器人需要以下身份组之一：{ $roles }
ended = 这个任务已经结束。
result-gone = 这个结果已不再保存。
result-gone-hint = 请重新发送片段。
no-such-part = 这个结果缺少此操作所需的内容。
no-pages = 这个机器人没有启用网页。
bad-fader = { $value } 不是有效的音量。
bad-fader-hint = 请填 0 到 4 之间的数字，或分贝，如 -3 dB。
may-not-post-you = 你不能在 { $channel } 发消息。
may-not-post-bot = 机器人不能在 { $channel } 发消息。
may-not-thread = 机器人不能在这里创建子区。
post-hint = 请联系管理本服务器的人。
not-shared = 结果没能发到 { $channel }。
quota-at-once = 你正在处理的片段已有 { $used } 个，上限是 { $limit } 个。
quota-at-once-hint = 请等其中一个完成，或用 /{ command-jobs } 取消一个。
quota-person = 你今天已用 { $used } 分钟，上限 { $limit } 分钟，还剩 { $left } 分钟。
quota-server = 本服务器今天已用 { $used } 分钟，上限 { $limit } 分钟，还剩 { $left } 分钟。
quota-reset = 将于 { $when } 重新计算。
clip-empty = { $name } 是空文件。
clip-large = { $name } 的大小是 { $size }，上限是 { $limit }。
clip-large-hint = 请发送更短或更小的片段。
clip-no-media = { $name } 不是视频或音频文件。
clip-picture = { $name } 是图片，没有声音。
clip-no-media-hint = 请发送带有音轨的视频或音频文件（mp4、mov、mkv、webm、mp3、m4a、wav、flac、ogg 等）。
wrong-host = 这个片段没有存放在 Discord 上。
wrong-host-hint = 请把片段上传到 Discord 再试。
clip-interrupted = 片段还没收完，机器人就重启了。
clip-gone = 这个片段已经不在了。
clip-gone-hint = 请重新上传片段。
download-failed = 没能及时从 Discord 下载片段。
try-soon = 请一分钟后再试。
try-later = 请稍后再试；如果仍然失败，请告诉机器人的管理者。
queue-unavailable = 机器人暂时连不上处理进程。
store-unavailable = 机器人暂时连不上存储。
disk-full = 机器人的磁盘已满。
models-unavailable = 这个机器人上所需的模型还没有准备好。
attempts-used = 这个片段尝试了多次，每次都失败了。
unknown-error = 机器人出了问题（编号 { $reference }）。
choice-error = { $value } 不能用于该选项。
choice-hint = 请从给出的值中选择。
button-gone = 这个按钮已经失效。
button-gone-hint = 请重新使用命令，或使用较新消息里的按钮。
not-one-file = 请选择一个文件，而不是 { $count } 个。
not-one-file-hint = 请在表单里上传新的人声音轨。
out-of-date = 这个命令已经更改。
out-of-date-hint = 请重新加载 Discord 后再试。
job-lost = 任务在完成之前被移除了。
error-MediaError = 这个文件不能作为片段处理。
error-LimitError = 这个片段超过了机器人允许的长度或大小。
error-ValidationError = 文件或某个选项无法使用。
error-FFmpegError = 片段无法读取或写入。
error-SeparationError = 声音分离失败。
error-DiarizationError = 说话人区分失败。
error-TranscriptionError = 文字识别失败。
error-MixError = 混音失败。
error-EngineTimeoutError = 处理时间超过了允许的范围。
error-EngineError = 处理片段的程序意外停止。
error-AudioProcessingError = 这个片段无法处理。
ack-timeout = 机器人没能及时查到所需的信息。
database-unavailable = 机器人暂时连不上数据库。
error-hint-input = 请检查文件和选项后再试。
error-detail = { $sentence }（{ $detail }）

## 结果页面

page-loading = 正在载入声音……
page-sound-failed = 声音无法载入，请重试。
page-play = 播放
page-pause = 暂停
page-player = 播放器
page-position = 播放位置
page-captions = 字幕
page-speakers = { $count } 位说话人
page-stems = 分轨
page-hear = 正在听的声音
page-hear-stems = 分轨
page-hear-mix = 混音成品
page-mute = 静音
page-solo = 独奏
page-gain = 音量
page-keys = 快捷键：空格播放和暂停，方向键前后跳 5 秒，M 和 S 对选中的分轨静音和独奏。
page-follow = 跟随播放
page-go-to = 跳到 { $time }
page-overlap = 同时说话
page-save = 保存
page-saved = 已保存。
page-not-saved = 名字无法保存，请重试。
page-downloads = 文件
page-zip = 全部打包为 zip
page-view-only = 可分享的地址（不能改名）：
page-forged = 这个链接无效。
page-forged-hint = 请在 Discord 中用结果下方的按钮重新打开页面。
page-expired = 这个链接已过期。
page-expired-hint = 请在 Discord 中按结果下方的“打开网页”获取新链接。
page-no-file = 这个结果没有这个文件。
page-no-file-hint = 请返回页面，从列表中选择。
page-not-yours = 这个链接不允许更改说话人的名字。
page-not-yours-hint = 请在 Discord 中按结果下方的“打开网页”获取自己的链接。
page-bad-request = 无法识别这个请求。
page-bad-request-hint = 请重新载入页面再试。
page-none = 这里没有内容。
page-none-hint = 请在 Discord 中用结果下方的按钮打开页面。
page-revoked = 这个链接已被撤回。
page-revoked-hint = 请向给你链接的人询问，或在 Discord 中按结果下方的“打开网页”。
page-gone = 这个结果已不再保存。
page-gone-hint = 请在 Discord 中重新发送片段。
page-not-visible = 创建这个链接的人已看不到结果所在的频道。
page-not-visible-hint = 请向能看到该频道的人索取新链接。
page-too-often = 短时间内改名次数过多。
page-too-often-hint = 请十分钟后再试。
page-sign-in = 请用 Discord 登录后查看。
page-sign-in-hint = 请重新打开网页的链接。
page-sign-in-failed = Discord 没有告知您的身份。
page-sign-in-failed-hint = 请重新打开网页的链接，并允许登录。
page-not-for-you = 您看不到此结果所在的频道。
page-not-for-you-hint = 请重新打开链接并换一个账号登录，或申请访问该频道。
page-away = 现在无法取得结果。
page-away-hint = 请一分钟后再试。

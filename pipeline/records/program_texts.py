"""What a chat program writes among what people say: for files and calls, of recalled messages, of who comes and goes.

A pattern has to match a message from end to end. `"Orla" pinned a message` is the program's; so is `Orla pinned a
message` where Orla is one of the chat's people. `He pinned a message, and left.` is said.
"""

from __future__ import annotations

import re
from collections.abc import Collection

NOTICE, MEDIA_NOTICE, DELETED_NOTICE = "a notice of the program", "a picture or another file", "a deleted message"
CALL_NOTICE, NO_TEXT = "a call", "a message without text"

OPEN, SHUT = r"[\[【［]", r"[\]】］]"
# Marks that are all there is of a message, whatever stands behind them: a name, an amount, an address, a title.
WHOLE = (
    r"(?:微信|qq)?(?:转账|红包)|文件|(?:地理|实时|共享)?位置|[短小]?视频|动画表情|链接|分享|(?:个人|好友)?名片|小程序|"
    r"聊天记录|合并转发|音乐|视频号|直播|群公告|卡片|闪照|戳一戳|拍一拍|笔记|投票|群收款|写真|動画|スタンプ|"
    r"轉帳|轉賬|紅包|檔案|(?:短)?影片|視頻|貼圖|動態貼圖|動畫表情|連結|(?:個人|好友)?名片|聯絡(?:資訊|人)|位置(?:資訊|訊息)|"
    r"聊天記錄|音樂|相簿|記事本|禮物|優惠券|小程式|公告|"
    r"ボイスメッセージ|ファイル|位置情報|アルバム|file|document|(?:(?:wechat|weixin) )?(?:transfer|red packet)|"
    r"mini program|chat history|contact card|animated sticker"
)
# Marks that may stand before or after what is said, and what they carry: a length, a file's name, an address, a face.
BESIDE_TEXT = (
    r"图片|照片|圖片|相片|(?:自定义)?表情|表情貼|语音(?:消息)?|語音(?:訊息)?|"
    r"photo|image|picture|sticker|emoji|gif|video|voice(?: message)?|audio|location|link|contact|album"
)
CARRIED = (
    r"(?:\d+:\d\d|\d+\s*(?:[\"″”]|''|秒|s(?:ec)?)|\(?\d+(?:\.\d+)?\s*[KMG]?B\)?|https?://\S{1,400}|\[[^\[\]\s]{1,8}\]|"
    r"\S{1,120}\.(?:jpe?g|png|gif|webp|bmp|heic|mp4|mov|amr|silk|mp3|wav|m4a|aac|opus|dat))(?=\s|$|[\[【［])"
)
IN_MARK = r"(?:[:：][^\[\]【】\n]*)?"
ATTACHED = r"\((?:file attached|datei angehängt|archivo adjunto)\)"
ANGLED = (
    r"<[^<>\n]*(?:omitted|ausgeschlossen|omitido|omis|omessi|忽略|略过|省略)[^<>\n]*>"
    r"|<(?:attached|angehängt|adjunto|附件)[:：][^<>\n]*>"
)
MARK = rf"(?:{OPEN}(?:{BESIDE_TEXT}){IN_MARK}{SHUT}(?:\s*{CARRIED}){{0,3}}+|{ANGLED})"
MARKS_AROUND = re.compile(rf"^(?:{MARK}\s*){{1,20}}+|(?:{MARK}\s*){{1,20}}+$|^[^\n]*{ATTACHED}\n", re.IGNORECASE)
# What people head a message with themselves, in such brackets.
HEADED = r"【(?:公告|禮物|優惠券|記事本|音[樂乐]|直播|投票|笔记|分享)】"
MEDIA = re.compile(
    rf"(?!{HEADED}\s*\S){OPEN}(?:{WHOLE}){IN_MARK}{SHUT}.*"
    r"|(?:image|video|audio|sticker|gif|document|contact card|bild|imagen|图片|视频|语音|贴图|圖片|影片|語音|貼圖) ?"
    r"(?:omitted|weggelassen|omitid[oa]|absente?|已忽略|已略过|已略過)"
    rf"|[^\n]*{ATTACHED}"
    r"|사진(?: \d+장)?|이모티콘|동영상|음성메시지|파일: \S.*",
    re.IGNORECASE | re.DOTALL,
)
DELETED = re.compile(
    r"(?:this message was deleted(?: by admin .{1,40})?|you deleted this message|diese nachricht wurde gelöscht|"
    r"du hast diese nachricht gelöscht|(?:se )?eliminó este mensaje|ce message a été supprimé|삭제된 메시지입니다|"
    r"(?:此|该|这条)?(?:消息|訊息)已(?:被)?(?:删除|刪除|撤回|收回)|您已(?:删除|刪除|撤回)此(?:消息|訊息)|"
    r"(?:[您你]|對方|对方)?已收回了?(?:一[則则條条])?(?:訊息|消息))[.。]?",
    re.IGNORECASE,
)
DURATION = r"\d{1,2}:\d\d(?::\d\d)?"
CALL = re.compile(
    rf"{OPEN}?(?:语音|视频)(?:通话|聊天){SHUT}(?:.{{0,20}})|(?:语音|视频)?(?:通话|聊天)时长[:：]?\s*{DURATION}"
    r"|(?:(?:语音|视频)通话\s*)?(?:(?:对方)?(?:已取消|已拒绝|无应答|未应答|未接听|忙线中)|忙线未接听|"
    r"已在其[他它]设备(?:接听|拒绝)|未接(?:来电|(?:语音|视频)?通话))|(?:语音|视频)?通话(?:已结束|已?中断)"
    rf"|(?:call )?duration:? {DURATION}|missed (?:group )?(?:voice |video |audio )?call(?: at \d.{{0,9}})?"
    r"|(?:voice|video|audio) call[.,:]?\s+(?:\d+ ?(?:s(?:ec)?|m(?:in)?|h(?:r|our)?)s?\b.{0,12}|no answer|missed|"
    rf"declined|cancell?ed|{DURATION})|(?:call )?cancell?ed by caller|call (?:not answered|declined|cancell?ed)"
    r"|☎️?\s*(?:call time|missed|cancell?ed|no answer|通話|不在着信|キャンセル|応答なし|未接[來来][電电]|"
    r"(?:您|對方|对方)?(?:已取消|未接聽|無回應|無應答|忙線)).*"
    rf"|{OPEN}?(?:語音|視訊|視頻)(?:通話|聊天){SHUT}(?:.{{0,20}})|(?:語音|視訊|視頻)?(?:通話|聊天)(?:時長|時間)[:：]?\s*{DURATION}"
    r"|未接(?:來電|(?:語音|視訊)通話)|(?:語音|視訊)通話(?:已結束|已?中斷)",
    re.IGNORECASE,
)

QUOTED = r"[\"“”「『][^\"“”「」『』\n]{1,40}[\"“”」』]"
# What a name may be.
BARE = r"[^\s我他她它谁誰们們这這那的了都也还還就又才刚剛已將邀、，。！？…：；,.!?:;\"“”「」『』]{1,20}"
ANYBODY = rf"\s*(?:{QUOTED}|{BARE})\s*"
# `歡迎加入社群` and `一起加入吧` name nobody.
NOBODY_BEFORE = r"(?<!歡迎)(?<!欢迎)(?<!一起)(?<!可以)(?<![請请快想要別别能])"
JOINING = rf"(?!\s*(?:歡迎|欢迎|請|请)){ANYBODY}{NOBODY_BEFORE}"
AND = r"(?:、|和(?=\s*[\"“「『]))"
SENTENCES = re.compile(
    rf"{JOINING}(?:通过扫描{ANYBODY}分享的二维码|邀请{ANYBODY}(?:{AND}{ANYBODY})*)?加入了?(?:本群|群聊)"
    r"(?:[，,]群聊参与人还有[:：].*)?[。.]?"
    rf"|{ANYBODY}将{ANYBODY}(?:{AND}{ANYBODY})*移出了?(?:本群|群聊)[。.]?|{ANYBODY}退出了?(?:本群|群聊)[。.]?"
    rf"|{ANYBODY}(?:修改群(?:聊)?名(?:称)?为|将群(?:聊)?名(?:称)?修改为)\s*(?!什么|啥)[^？?\n]+"
    rf"|{ANYBODY}成为(?:新)?(?:群主|管理员)[。.]?"
    rf"|(?:我|{ANYBODY})通过了你的(?:朋友|好友)验证请求[，,]?\s*(?:现在)?(?:我们)?可以开始聊天了[。.]?"
    rf"|你已添加了?{ANYBODY}[，,]\s*现在可以开始聊天了[。.]?|以上是打招呼的(?:内容|消息)[。.]?"
    rf"|我们已经是好友[啦了][，,]\s*一起来聊天吧[！!]?|消息已发出[，,]但被对方拒收了[。.]?"
    rf"|{ANYBODY}(?:將|邀請){ANYBODY}(?:{AND}{ANYBODY})*加入了?(?:本群|群組|社群|聊天室?)[。.]?"
    rf"|{JOINING}已?(?:加入|退出|離開)了?(?:本群|群組|社群|聊天室?)[。.]?"
    rf"|{ANYBODY}开启了(?:朋友|好友)验证[，,].+"
    r"|(?:messages|nachrichten|los mensajes|les messages)\b.{0,80}(?:end-to-end encrypt|"
    r"ende-zu-ende-verschlüsselt|cifrad[oa]s de extremo a extremo|chiffrés de bout en bout).*"
    r"|(?:此(?:对话|聊天)[^，。]{0,12})?(?:消息|訊息)[和与與及]通[话話].{0,12}端[到對对]端加密.*"
    r"|(?!(?:i|he|she|we|they|it)\b)[^\n,!?;:]{1,40} joined (?:using|via|from) (?:this group's|a group|an|the|your) "
    r"(?:invite )?link\.?"
    r"|(?!(?:i|he|she|we|they|it)\b)[^\n,!?;:]{1,40} changed the (?:subject|group name) (?:from [\"“].*[\"”] )?"
    r"to [\"“].*[\"”]\.?"
    r"|your security code with .{1,40} changed\..*|disappearing messages were turned o(?:n|ff)\..*"
    r"|#接[龙龍][^\n]*\n(?s:.*)"  # a list in which a group's people write themselves down
    r"|waiting for this message(?:\. this may take a while)?\.?",
    re.IGNORECASE,
)
QUOTED_RECALL = re.compile(
    rf"(?:你|您|对方|{QUOTED})\s*(?:已)?撤回了?一条(?:成员)?消息(?:[，,]?\s*(?:并|且).{{1,60}}|\s*重新编辑)?[。.]?"
)
TAPPED = r"(?:拍了拍|戳了戳|戳了一下)"
QUOTED_TAP = re.compile(
    rf"(?:[你我]|{QUOTED})\s*{TAPPED}\s*{QUOTED}[^，。！？\n]{{0,20}}|{QUOTED}\s*{TAPPED}\s*(?:你|我|自己)[^，。！？\n]{{0,20}}"
    rf"|[你我]\s*{TAPPED}\s*自己"
)
# The same with a name that nothing marks as one: it has to be one of the chat's people, or two where there are two.
OF_SOMEBODY = re.compile(
    rf"(?P<tapping>[^\n]{{1,40}}?)\s*{TAPPED}\s*(?P<tapped>[^\n]{{1,40}}?)"
    r"|(?P<recalling>[^\n]{1,40}?)\s*已?(?:撤回了?一条(?:成员)?消息|收回了?(?:一[則條])?訊息|撤回了?一[則條]訊息)[。.]?"
    r"|(?P<pinning>[^\n]{1,40}?) (?:pinned a message(?: to this (?:chat|channel)\..*)?|added you|removed you|"
    r"left the group|(?:changed|deleted) (?:this|the) group(?:'s)? (?:icon|photo|description)|"
    r"turned o(?:n|ff) disappearing messages\..*|created (?:this )?group.*)\.?"
    r"|(?P<unsending>[^\n]{1,40}?) unsent a message\.?",
    re.IGNORECASE,
)
THEMSELVES = frozenset({"你", "我", "You", "you"})
PROGRAM = re.compile(r"系统(?:消息|提示|通知)|群(?:通知|提示)|system (?:message|notification)", re.IGNORECASE)

# Before or after a reply: what it replies to.
REPLY_TO = re.compile(
    r"\[(?:回复|引用)(?=[\s@:：]|[^\[\]\n]{1,40}[:：])[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]\s*(?P<bracket>.*)"
    r"|[「\"“][^\n]{1,40}?[:：].*?[」\"”][ \t]*\n[ \t]*[-—─–](?:[ \t]?[-—─–]){3,}[ \t]*(?:\n(?P<ruled>.*))?"
    r"|(?P<above>.*\S)\s*\n引用[:：].*",
    re.DOTALL,
)
TITLE = r"【(?:管理员|群主|活跃|潜水|冒泡|吐槽|话唠|传说|机器人|频道主|lv\.?\d+)】\s*"  # QQ's, of a group's members
ACCOUNT = r"\s*(?:[(（]\d{5,12}[)）]|[(（<][^\s()（）<>]+@[^\s()（）<>]+\.[a-z]{2,}[)）>])"
OWN_TITLE = r"【[^【】\n]{1,20}】\s*"
LONGEST_NAME = 200  # characters, of a sender with an account
# Before a name with an account the group's own titles (专属头衔), whatever they are.
SENDER = re.compile(rf"(?:{OWN_TITLE})*(?P<known>\S.*?){ACCOUNT}|(?:{TITLE})*(?P<name>\S.*?)", re.IGNORECASE)


def reason_of_program(text: str, people: Collection[str] = ()) -> str:
    """Why a message is not what its sender says: the program wrote it, of a file, a call, or somebody of `people`."""
    text = text.strip()
    if not text:
        return NO_TEXT
    if MEDIA.fullmatch(text) or not without_marks(text):
        return MEDIA_NOTICE
    if DELETED.fullmatch(text) or QUOTED_RECALL.fullmatch(text):
        return DELETED_NOTICE
    if CALL.fullmatch(text):
        return CALL_NOTICE
    return reason_of_notice(text, people)


def reason_of_notice(text: str, people: Collection[str] = ()) -> str:
    """The same of what the program says of somebody by name, which can be told from what is said wherever it stands."""
    if QUOTED_RECALL.fullmatch(text):
        return DELETED_NOTICE
    if SENTENCES.fullmatch(text) or QUOTED_TAP.fullmatch(text):
        return NOTICE
    found = OF_SOMEBODY.fullmatch(text)
    named = {name.strip() for name in found.groups() if name} if found else set()
    if not found or not named <= {*people} | THEMSELVES:
        return ""
    if found["recalling"] or found["unsending"]:
        return DELETED_NOTICE
    return NOTICE if found["pinning"] or named & {*people} else ""


def without_marks(text: str) -> str:
    """The text without the marks of pictures, faces and voice messages before and after it."""
    return MARKS_AROUND.sub("", text.strip()).strip()


def without_quotation(text: str) -> str:
    """The reply alone, where a program puts what it replies to before or after it."""
    if not text.startswith(("[", "「", '"', "“")) and "引用" not in text:
        return text
    found = REPLY_TO.fullmatch(text.strip())
    return next((part.strip() for part in found.groups() if part is not None), "") if found else text


def sender_name(name: str) -> str:
    """A sender's name without their title in a group and the number or address of their account."""
    found = SENDER.fullmatch(name.strip()) if len(name) < LONGEST_NAME else None
    return found["known"] or found["name"] if found else name.strip()

"""Who says what is quoted in Chinese prose: 沈阿棠说：“…”, “……”裴照道, 阿棠摇了摇头：“不去”.

Only what is sure: the name stands at the beginning of its sentence or clause, nobody else can be the subject of the
verb, and nothing makes it no speech (没说, 心想, 写道).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping, Sequence

from pipeline.records.readers.scripts.quotations import SOMEBODY, UNSAID

# One form of each character for the patterns below; texts keep theirs.
_PAIRS = (
    "說说問问應应講讲罵骂勸劝嘆叹歎叹聲声輕轻頭头著着對对還还沒没聽听見见寫写緒绪開开張张閉闭過过來来會会沖冲衝冲給给話话點点搖摇轉转"
    "皺皱憤愤氣气紅红緩缓補补釋释聳耸擡抬擺摆揮挥彎弯許许題题讀读記记夢梦請请讓让實实後后進进遞递懷怀裡里裏里從从湊凑縮缩臉脸們们兩两"
    "幾几眾众誰谁個个緊紧連连趕赶壓压揚扬邊边顫颤啞哑齊齐厲厉靜静譏讥諷讽囑嘱謝谢認认為为麼么當当將将參参訴诉驚惊麵面腳脚齒齿終终斷断時时語语調调視视線线雙双體体"
)
PLAIN = str.maketrans(_PAIRS[::2], _PAIRS[1::2])
VERBS = (
    "自言自语|喃喃自语|说道|问道|答道|喊道|叫道|嚷道|骂道|吼道|笑道|叹道|应道|回道|劝道|哼道|喝道|斥道|怒道|回答|追问|反问|质问|询问|解释|补充|"
    "抱怨|嘟囔|嘟哝|嘀咕|咕哝|喃喃|低语|呢喃|附和|反驳|调侃|打趣|催促|吐槽|接话|接口|接道|插嘴|插话|开口|吩咐|命令|提醒|招呼|安慰|叮嘱|告诉|宣布|"
    "感叹|感慨|惊呼|惊叫|大喊|大叫|高喊|呼喊|怒吼|尖叫|哭喊|承认|否认|强调|建议|提议|恳求|哀求|警告|威胁|埋怨|数落|打断|自语|嘲讽|讥讽|道歉|道谢|"
    "低喝|断喝|喝问|说|道|问|答|喊|叫|嚷|骂|吼|劝|应|回|讲|叹|催|哼|斥"
)
# What makes the last character of a word no verb of saying: 知道, 街道, 听说, 小说.
VERB = rf"(?<![知街人走管味河水轨楼通难])(?<![小听据传])(?:{VERBS})道?"
PRONOUN = r"(?:[他她它我你您咱]们?)"
PEOPLE = rf"{PRONOUN}|众人|大家|对方|自己|那人|来人"
DONE = r"(?:了?[一两几][句声遍]|了[句声遍]?|着|出[声来]|起来)?"
SAYS = re.compile(rf"{VERB}{DONE}(?:\{{\d+\}}|{PEOPLE})?$")  # at the end of a clause; {0} stands for a name
HOW = (
    "又|也|便|就|却|才|还|只|都|忙|忽|忽然|突然|急|急忙|连忙|赶紧|连|再|先|接着|终于|反|[低轻小大柔沉冷厉朗高齐失出颤哑]声|冷冷|淡淡|轻轻|缓缓|慢慢|幽幽|悠悠|"
    "闷闷|恨恨|慢悠悠|懒洋洋|笑眯眯|气呼呼|笑嘻嘻|笑|冷|淡|怒|哭|大|苦|苦笑|冷笑|微笑|失笑|忍不住|不由|不由得|不禁|随口|顺口|脱口|脱口而出|开口|张口|"
    "哽咽|不耐烦|没好气|没好气地|认真|平静|一本正经|毫不犹豫|不紧不慢|面无表情|漫不经心|理直气壮|一字一句|同时|异口同声|若有所思|头也不抬|头也不回|"
    "惊|喜|奇|嗔|惊喜|惊讶|诧异|好奇|疑惑|沉吟|正色|"
    "点头|摇头|皱眉|抬头|低头|回头|转头|撇嘴|咬牙|耸肩|挑眉|抬眼|扬眉|叹气|冷哼|抬手|摆手|拱手|挥手|抿唇|抿嘴|弯腰|起身|上前|扶额"
)
# What may stand between the name and the verb: how, or something done before; else a noun there may be who speaks.
BEFORE_VERB = re.compile(
    rf"(?:.*(?:{HOW}|[地着了头气眉嘴眼口手脸声肩身下起来去过完住开出步腿上]|(?:对|向|朝|冲|跟|给)(?:\{{\d+\}}|{PEOPLE}|.{{1,4}})))?"
)
# Behind a name, what makes it part of something else: 沈阿棠的母亲, 沈阿棠和裴照, 沈阿棠身后.
GOES_ON = re.compile(
    r"[的·和与跟及、]|同(?!时)|[他她它们家娘妈爹爸父母哥姐弟妹爷奶叔婶姨舅姑夫妻儿女]|身[后边旁前]|手[里下中上]|[心怀嘴口眼屋门窗桌](?:里|中|外|前|上|边)|"
    r"旁边|对面|背后|面前|耳边|这边|那边|一家|二人|两人"
)
NOT_SAID = re.compile(
    r"心[里中下想说道]|暗[道想自骂]|默念|腹诽|写|刻|印着|念(?!叨)|读|抄|题|唱|(?<!想了)想(?!了想)|寻思|琢磨|以为|觉得|梦"
)
DOUBTFUL = re.compile(
    r"没(?:有)?(?:说|道|问|答|回|开口|吭声|接|应)|不(?:说|答|问|肯|敢|想|回答|吭|愿)|未(?:说|答|曾|及)|别说|记得|记起|听|见(?!状)|等|让(?!步|开)|令|请|派|逼|据|"
    r"如果|假如|要是|倘若|若(?!有所思|无其事)|仿佛|好像|似乎|像是|正要|刚要|正想|刚想|本想|本要|欲|打算|准备|名|绰号|外号|叫做|称(?!赞|叹|是|谢)|"
    r"也许|或许|可能|应该|曾|说过|问过|被|传来|的人|一.{1,6}[就便]|刚.{1,8}[就便]|还没|尚未|有人|有个|谁|代|替|的话|学着|教"
)
# What may be read or heard beside a colon.
SIGNS = re.compile(
    r"信|[纸紙]|字|匾|牌|碑|[书書]|[报報]|屏|消息|手[机機]|[电電][话視视]|[条條]|署|[标標]题|封面|日[记記]|告示|便[签箋簽籤笺]|[邮郵]件|卷[轴軸]|[圣聖]旨|收音机|收音機|[广廣]播|"
    r"[录錄]音|[语語]音|播放|[弹彈]幕|[评評][论論]|[笔筆][记記]|[请請]柬|帖"
)
# What a clause begins with whose subject is that of the clause before.
_GOES_ON = (
    rf"[对向朝冲](?:\{{\d+\}}|{PRONOUN}|众人|大家)|急忙|连忙|赶紧|接着|终于|[低轻小大柔沉冷厉朗高齐失出颤哑]声|冷冷|淡淡|轻轻|缓缓|慢慢|幽幽|"
    rf"忍不住|不由|不禁|随口|随即|随后|然后|一边|一面|没好气|头也不|{VERB}|苦笑|冷笑|微笑|笑[着了道]|[把将](?!军)|[跑冲][到出过进]|一[脚手把](?=[^，]*[进出在住开])|[气笑]得|放下|拿[着起出]|伸手|伸出|指[着了]|"
    r"拍[了着]|瞪[着了大]|看[着了]|望[着了向]|盯[着了]|回过[头身神]|站[起住]|坐[下到直]|走[到过上近]|凑[近到过]|压低|扬[起眉]|咬[着了牙]|红着|眯[着起]|"
    r"扶[着起住]|拉[着住过]|拽[着住]|推[开门了]|递[给过了]|端[着起]|清了|顿了|沉默|半晌|好一会|一脸|抬[头起眼手]|低[头下]|摇[头了着]|点[头了着]|转[头过身]|"
    r"皱[眉着了起]|撇[嘴了]|挑[眉了起]|想了想|嗔|摆[手了]|挥[手了]|叹了?口?气|哼了|耸[肩了]|眨了?眨|抿|揉|捂|抱[着起住]|靠[着在]|蹲[下在]|起身|上前"
)
# These may begin with another subject as well (又一个客人, 忽然楼下传来), unless what somebody does follows.
_ALSO_OF_ANOTHER = "又|忽然|突然"
_DOES = "[倒喝拔停笑哭抓加补添抽拿掏摸捡收退发咬挠敲打踢提取伸拍松放跺]"
CONTINUES = re.compile(rf"也|便|就|却|才|还|再|先|{_GOES_ON}|(?:{_ALSO_OF_ANOTHER})(?:{HOW}|{_GOES_ON}|{_DOES})")
# And what one that tells of somebody who speaks, without a verb of saying: the voice, the look, what is not done.
_VOICE = "声音|声线|嗓音|嗓子|语气|语调|语速|口吻|尾音"
_LOOK = (
    "目光|视线|眼[神睛里底中角皮眸眶]|双眼|脸[上色]|面[色上]|神[色情]|表情|嘴[角唇]|唇[角边]|眉[头眼毛梢宇间]|双手|[左右]手|"
    "手[指上腕]|指[尖节]|耳[尖根朵]|呼吸|肩膀|脊背|笑意|笑容"
)
_OF_ANOTHER = "传来|响|有人|谁|打断|插[话嘴]|接[话口道]"  # 声音从门外传来
_NOT_DONE = (
    r"没有?(?!人|谁|过|多|几|想|料|曾)|连头也|头也|眼皮也?|看都|看也|仿佛|好像|像|似乎|带着|几乎|近乎|不带|不看|"
    "不动声色"
)
_HANDLES = r"看向|瞥|扫[了过视]|[合翻关收握攥捏擦垂侧仰俯扣系脱戴披抽拿掏端倒喝][了着起上下开过]|抚[摸着过]"
ATTENDS = re.compile(
    rf"(?![^，]*(?:{_OF_ANOTHER}))(?:{_VOICE}|{_LOOK}|{_NOT_DONE}|{_HANDLES}|{PRONOUN}的(?:{_VOICE}|{_LOOK}))"
)
VOICE = re.compile(  # not what only sounds: 声音嘈杂
    rf"(?![^，]*(?:{_OF_ANOTHER}))(?:声音[很有压低轻冷沙嘶沉平不却微放发里带软柔淡温小哑颤稳清]|(?!声音)(?:{_VOICE}))"
)
OPENS = re.compile(r"(?:这时候?|此时|忽然|突然|但是?|可是?|而|于是|然后|接着|最后|只听|但听|半晌|片刻后|良久)[，,]?")
GESTURE = re.compile(
    r"(?:又|也|便|只|却|轻轻|缓缓|慢慢|微微)?(?:[摇点][了一]?[摇点]?头|笑了?笑?|叹了?(?:口|一口)?气|耸了?耸?肩|皱了?皱?眉头?|撇了?撇?嘴|哼了一声|"
    r"挑了?挑?眉|清了清嗓子?|顿了顿|沉默了?(?:片刻|一会儿?|半晌)?|翻了个白眼|咳了?(?:一声|两声)?|深吸了?一口气|想了想|愣了愣?|怔了怔?|"
    r"瞪了?\{?\d?\}?[他她]?一眼|白了\{?\d?\}?[他她]?一眼|摆了?摆?手|挥了?挥?手|抬起?头|低下?头|别过脸去?|红了脸)"
)
# Behind a name of one or two characters, what shows that it ends there: not 林风眠, 白衣人, 白先生.
SHORT = 2
_BEGINS = (
    "微微|哈哈|嘿嘿|呵呵|嘻嘻|咯咯|有些|有点|正在|立刻|立即|当即|顿时|愕然|一[愣怔惊笑]|俯身|躬身|欠身|抱拳|从(?!容)|用|在|眉[头毛]|"
    "眼[睛圈神眶]|目光|[脸面神]色|脸上|神情|嘴[角唇]|语气|声音|嗓音|双[手眼]|"
    "[坐站躺靠蹲倚跪趴]在|[走跑跳冲掏取抽端拿搬提打翻解脱][出到下上起开]"
)
_LONGER_HOW = "|".join(how for how in HOW.split("|") if len(how) > 1)
ENDS_NAME = re.compile(
    rf"[，,{{]|{_BEGINS}|{_LONGER_HOW}|(?:{HOW}){{0,2}}(?:{VERB}(?![长人士姑袍])|{_GOES_ON}|{GESTURE.pattern}|[对向朝冲跟给])"
)
DOES = re.compile(  # behind two characters: 林风喝了, 林风温和地
    r"[\u4e00-\u9fff](?:[了着过]|[\u4e00-\u9fff](?:[\u4e00-\u9fff]{2})?地)(?!方)"
)
END_OF_SENTENCE = re.compile(r"[。！？!?；;…—]+")
COMMA = re.compile(r"[，,]")
OBJECT_OF = re.compile(rf"(?:[对向朝冲跟给问着了过]|告诉|拉住|按住|扶起|推开|打断|{VERB})$")
AFTER_OBJECT = re.compile(
    rf"(?:[，,].*|的(?:眼睛|脸|背影|手|袖子?|肩膀?|目光)|[一两]眼|{HOW})*(?:{VERB}{DONE})?(?:$|[，,])|[一两]眼.*|的(?:眼睛|脸|背影|手|袖子|肩膀|目光).*"
)
# Somebody who may be a name: letters directly before a verb of saying, with a word between at most.
CANDIDATE = re.compile(rf"(?P<name>[\u4e00-\u9fff]{{2,4}}?)(?:{HOW}){{0,2}}{VERB}{DONE}(?:$|[，,：:])")
NO_NAME = re.compile(
    r"[他她它我你您咱的有这那一不自两几众大家之得着了是就又也都却便才还人声在到对向朝冲跟给来去上下想念据时同问说喝连晌刻久半间然]"
)
LONGEST = 40  # characters of what is told about how somebody speaks


def before(told: str, names: Collection[str]) -> str:
    """Who says what is quoted next, by the sentence that ends there."""
    line = told.rstrip()
    mark = line[-1:] if line[-1:] in "：:，," else ""
    line = END_OF_SENTENCE.split(line[: len(line) - len(mark)])[-1].strip()
    plain, known = _coded(line, names)
    name, rest = _subject(plain, known)
    if not name:
        said = SAYS.search(plain) is not None or (mark in "：:" and mark != "")
        return (UNSAID if NOT_SAID.search(plain) else SOMEBODY) if said else ""
    if not rest:
        return name if mark and mark in "：:" else ""
    return _speaker(name, rest, allows_action=mark in "：:" and mark != "")


def after(told: str, names: Collection[str], _: str = "") -> str:
    """Who says what was quoted before, by the sentence that begins there."""
    sentence = END_OF_SENTENCE.split(told.strip())[0].rstrip("，,：: ")
    plain, known = _coded(sentence, names)
    name, rest = _subject(plain, known, opens=False)
    clauses = COMMA.split(plain)
    if not name:
        return SOMEBODY if SAYS.search(clauses[0]) else ""
    parts = COMMA.split(rest)
    for end in range(1, len(parts) + 1):
        if end > 1 and not CONTINUES.match(parts[end - 1]):
            break
        if SAYS.search(parts[end - 1]):
            return _speaker(name, "，".join(parts[:end]), allows_action=False)
    return ""


def speaks(words: str, names: Collection[str]) -> str:
    """Who speaks by the words before a script's colon, where they say so: 沈阿棠小声道, 裴照问沈阿棠."""
    plain, known = _coded(words, names)
    is_said = SAYS.search(plain) or NOT_SAID.search(plain)
    return before(f"{words}：", known) if is_said else ""


def candidate(told: str, *, is_before: bool) -> str:
    """What may be the name of somebody who speaks, in what is told before or after a quotation; nothing if none is."""
    sentences = END_OF_SENTENCE.split(told.strip().rstrip("，,：: "))
    text = COMMA.split(sentences[-1])[-1] if is_before else COMMA.split(sentences[0])[0]
    plain = text.translate(PLAIN)
    found = None if CONTINUES.match(plain) else CANDIDATE.match(plain)
    return text[: found.end("name")] if found and not NO_NAME.search(text[: found.end("name")]) else ""


def acts(told: str, names: Collection[str]) -> str:
    """Of whom the sentence before a quotation, the only one, tells a gesture that goes with speech."""
    sentences = [one for one in END_OF_SENTENCE.split(told.strip()) if one]
    if len(sentences) != 1 or told.rstrip()[-1:] not in "。！…":
        return ""
    plain, known = _coded(sentences[0], names)
    name, rest = _subject(plain, known, opens=False)
    is_sure = name and all(GESTURE.fullmatch(clause) for clause in COMMA.split(rest))
    return name if is_sure else ""


def aside(told: str, names: Collection[str]) -> str:
    """Who does something amid what is quoted before and after, in one sentence: 沈阿棠头也不抬，."""
    line = told.strip()
    if line[-1:] not in "，," or not is_one(line):
        return ""
    plain, known = _coded(line.rstrip("，,"), names)
    name, rest = _subject(plain, known, opens=False)
    return _speaker(name, rest, allows_action=True) if name and rest else ""


def is_one(told: str) -> bool:
    """Whether all of it is one sentence with one subject."""
    line = told.strip().rstrip("，,：:。！？!?…").translate(PLAIN)
    return not END_OF_SENTENCE.search(line) and all(map(_is_of_the_same, COMMA.split(line)[1:]))


def goes_on(told: str, _: str) -> bool:
    """Whether its subject is a pronoun, or left out: what is quoted behind it goes on with what it interrupts."""
    line = told.rstrip("，,").translate(PLAIN)
    clauses = [re.sub("^[他她它我](?!们)", "", clause) for clause in COMMA.split(line)]
    same = (_is_of_the_same(clause) or GESTURE.fullmatch(clause) is not None for clause in clauses)
    return not END_OF_SENTENCE.search(line) and all(same)


def _is_of_the_same(clause: str) -> bool:
    """Whether a clause begins with no subject, or with the voice or the look of the one before."""
    return (CONTINUES.match(clause) or ATTENDS.match(clause)) is not None


def _coded(text: str, names: Collection[str]) -> tuple[str, Sequence[str]]:
    """The text in one form of the characters, names in it as {0}, {1}, and the names by these numbers."""
    known, numbers, pattern = _known(frozenset(names))
    return pattern.sub(lambda found: f"{{{numbers[found[0]]}}}", text.translate(PLAIN)), known


@functools.lru_cache(maxsize=8)
def _known(names: frozenset[str]) -> tuple[Sequence[str], Mapping[str, int], re.Pattern[str]]:
    """The names, longer ones first, their numbers, and what finds them."""
    known = sorted(names, key=lambda name: (-len(name), name))
    numbers = {name.translate(PLAIN): number for number, name in enumerate(known)}
    return known, numbers, re.compile("|".join(re.escape(name.translate(PLAIN)) for name in known) or "(?!)")


def _subject(plain: str, known: Sequence[str], *, opens: bool = True) -> tuple[str, str]:
    """The name that is the subject at the end of the sentence, or at its beginning without `opens`, and what follows.

    It begins the last clause, or one before it that the clauses since then go on with.
    """
    clauses = COMMA.split(plain)
    for first in range(len(clauses) - 1, -1, -1) if opens else (0,):
        text = "，".join(clauses[first:])
        start = OPENS.match(text) if opens else None
        text = text[start.end() :] if start else text
        if found := re.match(r"\{(\d+)\}", text):
            return known[int(found[1])], text[found.end() :]
        if not (CONTINUES.match(clauses[first]) or VOICE.match(clauses[first])):
            break
    return "", ""


def _speaker(name: str, rest: str, *, allows_action: bool) -> str:
    """The name, if the rest of its sentence says that it speaks, and nobody else may."""
    if GOES_ON.match(rest) or len(rest) > LONGEST:
        return SOMEBODY
    if NOT_SAID.search(rest):
        return UNSAID
    if DOUBTFUL.search(rest) or _has_another_subject(rest) or not _ends(name, rest):
        return SOMEBODY
    if verb := SAYS.search(rest):
        how = COMMA.split(rest[: verb.start()])[-1]
        return name if BEFORE_VERB.fullmatch(how) else SOMEBODY
    if not allows_action:
        return ""
    return SOMEBODY if SIGNS.search(rest) else name


def _ends(name: str, rest: str) -> bool:
    """Whether the name ends where the rest begins, and is no part of a longer word."""
    if name.isascii() or len(name) > SHORT or ENDS_NAME.match(rest):
        return True
    return len(name) == SHORT and DOES.match(rest) is not None


def is_name(words: str, text: str) -> bool:
    """Whether they stand somewhere but before one verb of saying, as 沈阿棠狂 in 沈阿棠狂道 does not."""
    found = re.findall(rf"{re.escape(words.translate(PLAIN))}({VERB}|)", text.translate(PLAIN))
    return "" in found or len({*found}) > 1


def _has_another_subject(rest: str) -> bool:
    """Whether somebody else is named, and not as whom something is said or done to."""
    for found in re.finditer(rf"\{{\d+\}}|{PRONOUN}|众人|大家|对方|那人|来人", rest):
        behind = rest[found.end() :]
        is_object = OBJECT_OF.search(rest[: found.start()]) and (not behind or AFTER_OBJECT.match(behind))
        is_owner = found[0][0] != "{" and behind.startswith("的")
        if not is_object and not is_owner:
            return True
    return False

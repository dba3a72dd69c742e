"""In which encoding a list was saved: UTF-8, UTF-16, Big5 or GB18030, by marks and by likelihood. Pure.

Big5 and GB18030 accept nearly any pairs of bytes as some rare letter. The right one of the two gives
letters that people use; so letters are counted by how common they are.
"""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 200_000
# Common in names, headers and addresses, in both scripts.
_COMMON = frozenset(
    "的一是不了在人有我他這這个個们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于著下自之年过過"
    "姓名電电話话手機机客戶户編编號号地址公司備备註注信箱郵邮件行動动聯联絡络生日性別别市區区路街段巷弄樓楼縣县省"
    "王李張张劉刘陳陈楊杨黃黄趙赵吳吴周徐孫孙馬马朱胡郭何高林羅罗鄭郑梁謝谢宋唐許许鄧邓韓韩馮冯曹彭曾蕭肖田董"
    "潘袁蔡蔣蒋余杜葉叶程蘇苏魏呂吕丁沈任姚盧卢傅鍾钟姜崔譚谭廖范汪陸陆金石戴賈贾韋韦邱方侯鄒邹熊孟秦江"
    "小明美玲志強强偉伟芳娜秀英敏靜静麗丽豪家文建華华雅婷怡君淑惠俊宏宗翰欣怡佳穎颖先生女士小姐"
    "東东西南北台臺灣湾京海廣广州深圳新竹桃園园高雄退費费一二三四五六七八九十男女甲乙"
)


def decoded(data: bytes) -> tuple[str, str] | None:
    """Return *data* as text and the encoding's name; None: it is no text.

    >>> decoded("姓名,電話\\n王小明,0912".encode("big5"))[1], decoded("姓名,电话\\n王小明".encode("gbk"))[1]
    ('big5', 'gb18030')
    >>> decoded("José".encode("cp1252"))
    ('José', 'windows-1252')
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _with(data, encoding, encoding.removesuffix("-sig"))
    if wide := _wide(data):
        return _with(data, wide, wide)
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    if data.count(0) > len(data) // 1000:
        return None
    candidates = [
        (_likelihood(data[:_SAMPLE_BYTES].decode(codec, "replace")), name, codec)
        for name, codec in (("big5", "cp950"), ("gb18030", "gb18030"), ("windows-1252", "cp1252"))
    ]
    _, name, codec = max(candidates, key=lambda each: each[0])
    return data.decode(codec, "replace"), name


def _with(data: bytes, encoding: str, name: str) -> tuple[str, str] | None:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    sample = text[:_SAMPLE_BYTES]
    strange = sum(not letter.isprintable() and not letter.isspace() for letter in sample)
    return (text, name) if strange * 100 <= len(sample) else None


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: every other byte of delimiters and digits is zero."""
    sample = data[:4_000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < max(1, len(sample) // 20):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _likelihood(text: str) -> float:
    """Points per letter outside ASCII: a common one counts most, one that is none at all counts against."""
    letters = [letter for letter in text if letter > "\x7f"]
    if not letters:
        return 0.0
    points = 0.0
    for letter in letters:
        if letter in _COMMON:
            points += 1.0
        elif letter == "\ufffd" or not letter.isprintable():
            points -= 3.0
        elif "\u4e00" <= letter <= "\u9fff" or "\u3000" <= letter <= "\u303f" or letter.isalpha():
            points += 0.1
    return points / len(letters)

"""The font of the charts: ``python -m devtools.font NotoSansCJK-Regular.ttc`` cuts it from Noto Sans CJK SC.

Source: Noto Sans CJK 2.004, © 2014-2021 Adobe, SIL Open Font License 1.1, as Debian packs it in
``fonts-noto-cjk 1:20220127+repack1-1`` (``apt-get download fonts-noto-cjk``, ``dpkg-deb -x``; the collection lies in
``usr/share/fonts/opentype/noto``). Another file is refused. The licence asks that it goes along, which is ``OFL.txt``
beside the font, and a modified font must not bear a reserved name: ours is called OpsKit Sans.

The same source and the same fonttools (4.68.0 here) give the same bytes. It takes about half a minute.
"""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from devtools.catalog import ROOT

FONT = ROOT / "opskit" / "sales" / "charts" / "fonts" / "OpsKitSans.otf"
FAMILY = "OpsKit Sans"
SHA256 = "b76b0433203017ca80401b2ee0dd69350349871c4b19d504c34dbdd80541690a"
MOST_BYTES = 2_500_000
_SIMPLIFIED_CHINESE = 2  # place in the collection
_BLOCKS = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x017F),  # Latin with accents
    (0x2000, 0x206F),  # dashes, quotes, ellipsis
    (0x20A0, 0x20BF),  # currencies
    (0x2100, 0x22FF),  # letterlike, Roman numerals, arrows, mathematics
    (0x2460, 0x25FF),  # enclosed numbers, lines, boxes, shapes
    (0x2600, 0x26FF),  # stars, signs
    (0x3000, 0x30FF),  # Chinese punctuation, kana
    (0x3200, 0x33FF),  # enclosed and squared units
    (0xFF01, 0xFFEE),  # full and half width
)
# Two-byte codes whose characters are taken: codec, first lead byte, last lead byte.
_CODES = (
    ("gb2312", 0xA1, 0xF7),  # all of it
    ("big5", 0xA1, 0xC6),  # level 1, the traditional characters in common use
    ("shift_jis", 0x81, 0x97),  # level 1, the Japanese ones
)
# Characters of the list in common use (通用规范汉字表) that none of these codes has and that names do have.
_NAMES = (
    "镕喆堃淼昇燊玥珺晞翀焗粿麽啰瞭乾藉祎炜珮瑄琚璟璐赟頔煊垚骉犇焱甯仝偲劼勍堉墐奭妘婳嫚孖崟弢彧忞惇愔揆旻昉晗晟晢暐暾"
    "曈杲柘栩桁梽棽橦欤歆汧沄沨洺浠浛涢淏湉湜溦滢漪潆澍澔瀚炆炘炻烜烨焓煜熠燚玚玢玹珅珈珙珝琎琦琬琭琮瑀瑭璇璁璠瓅畇皓皞眭睿"
    "祐祚禛禤秾稹窈竑笪筠箐綦翊翎翙翚翯胤臻芃芊芮苒茗荃莜莞菀萁蓁蓥蔺蕤薏藜蘅虓虢衎裒觐訚诩谡谧赪跶轶逄逯郗郯鄞酃鋆钊钰铄铖铠"
    "锜锟镔镠镡阚霂霁霏霖靓韫颀颢飏馥骁骐骢鬻鲲鳇鸢鸾麒黛鼐龑㛃䶮"
)


def characters() -> set[int]:
    """The code points that the charts can show, where the source has them."""
    blocks = (point for first, last in _BLOCKS for point in range(first, last + 1))
    return {*blocks, *map(ord, _NAMES), *(point for code in _CODES for point in _two_bytes(*code))}


def _two_bytes(codec: str, first: int, last: int) -> Iterator[int]:
    for lead in range(first, last + 1):
        for trail in range(0x40, 0xFF):
            text = bytes((lead, trail)).decode(codec, "ignore")
            if len(text) == 1:
                yield ord(text)


def cut(source: Path) -> None:
    """Write the subset without layout rules, hints and tables that only vertical text needs."""
    if (found := hashlib.sha256(source.read_bytes()).hexdigest()) != SHA256:
        message = f"{source} is not the font that is documented here: {found}"
        raise SystemExit(message)
    font = TTFont(source, fontNumber=_SIMPLIFIED_CHINESE, recalcTimestamp=False)
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = ["*"]
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    _rename(font)
    font.save(FONT)
    size = FONT.stat().st_size
    print(f"{FONT.name}: {len(font.getBestCmap()):,} characters, {size:,} bytes")
    if size > MOST_BYTES:
        message = f"more than {MOST_BYTES:,} bytes"
        raise SystemExit(message)


def _rename(font: TTFont) -> None:
    """Our own name, and the rights of the authors as they stand in the source."""
    names = font["name"]
    kept = {number: names.getDebugName(number) for number in (0, 5, 7, 13, 14)}
    names.names = []
    ours = {1: FAMILY, 2: "Regular", 4: FAMILY, 6: FAMILY.replace(" ", "")}
    for number, text in sorted((kept | ours).items()):
        if text:
            names.setName(text, number, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = [ours[6]]
    top[0].FullName = top[0].FamilyName = FAMILY


def main(arguments: Sequence[str]) -> None:
    """Cut the font that the one argument names."""
    cut(Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])

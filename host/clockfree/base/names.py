"""Names of the table of parts, as types of keys in files."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from clockfree_model.parts import FRONT_ENDS, POTS, converters_of

if TYPE_CHECKING:
    FrontEndName: TypeAlias = str
    PotName: TypeAlias = str
    DacName: TypeAlias = str
    MixerName: TypeAlias = str
    AdcName: TypeAlias = str
else:
    FrontEndName, PotName = Literal[tuple(FRONT_ENDS)], Literal[tuple(POTS)]
    DacName, MixerName, AdcName = (Literal[tuple(converters_of(kind))] for kind in ("dac", "mixer", "adc"))

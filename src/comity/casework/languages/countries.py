"""What the countries of the European Economic Area are called; others are named by their two letters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from comity.model.country import EUROPEAN_ECONOMIC_AREA


def _named(names: str) -> Mapping[str, str]:
    return MappingProxyType(dict(zip(EUROPEAN_ECONOMIC_AREA, names.replace("\n", " ").split(", "), strict=True)))


IN_ENGLISH: Final = _named(
    "Austria, Belgium, Bulgaria, Cyprus, Czechia, Germany, Denmark, Estonia, Spain, Finland, France, Greece, Croatia, "
    "Hungary, Ireland, Iceland, Italy, Liechtenstein, Lithuania, Luxembourg, Latvia, Malta, the Netherlands, Norway, "
    "Poland, Portugal, Romania, Sweden, Slovenia, Slovakia"
)
IN_GERMAN: Final = _named(
    "Österreich, Belgien, Bulgarien, Zypern, Tschechien, Deutschland, Dänemark, Estland, Spanien, Finnland, "
    "Frankreich, Griechenland, Kroatien, Ungarn, Irland, Island, Italien, Liechtenstein, Litauen, Luxemburg, "
    "Lettland, Malta, die Niederlande, Norwegen, Polen, Portugal, Rumänien, Schweden, Slowenien, die Slowakei"
)
IN_FRENCH: Final = _named(
    "l'Autriche, la Belgique, la Bulgarie, Chypre, la Tchéquie, l'Allemagne, le Danemark, l'Estonie, l'Espagne, "
    "la Finlande, la France, la Grèce, la Croatie, la Hongrie, l'Irlande, l'Islande, l'Italie, le Liechtenstein, "
    "la Lituanie, le Luxembourg, la Lettonie, Malte, les Pays-Bas, la Norvège, la Pologne, le Portugal, la Roumanie, "
    "la Suède, la Slovénie, la Slovaquie"
)

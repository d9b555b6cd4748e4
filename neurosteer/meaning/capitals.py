"""Capitals and countries: those of one word each, and no two that resemble each other (Tunis, Tunisia)."""

from __future__ import annotations

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.phrases import Item

from .facts import Fact, cross, of_part, read_couples
from .meaning_task import meaning_task

COUNTRIES = """
France/Paris Germany/Berlin Italy/Rome Spain/Madrid Portugal/Lisbon Ireland/Dublin England/London
Scotland/Edinburgh Belgium/Brussels Denmark/Copenhagen Sweden/Stockholm Norway/Oslo Finland/Helsinki
Iceland/Reykjavik Austria/Vienna Hungary/Budapest Poland/Warsaw Greece/Athens Bulgaria/Sofia Romania/Bucharest
Serbia/Belgrade Croatia/Zagreb Albania/Tirana Russia/Moscow Latvia/Riga Lithuania/Vilnius Estonia/Tallinn
Turkey/Ankara Egypt/Cairo Libya/Tripoli Morocco/Rabat Sudan/Khartoum Kenya/Nairobi Uganda/Kampala Rwanda/Kigali
Somalia/Mogadishu Zambia/Lusaka Zimbabwe/Harare Nigeria/Abuja Ghana/Accra Senegal/Dakar Iraq/Baghdad Iran/Tehran
Syria/Damascus Lebanon/Beirut Jordan/Amman Qatar/Doha Afghanistan/Kabul Pakistan/Islamabad Nepal/Kathmandu
Bangladesh/Dhaka China/Beijing Japan/Tokyo Thailand/Bangkok Vietnam/Hanoi Canada/Ottawa Cuba/Havana Peru/Lima
Chile/Santiago Ecuador/Quito Colombia/Bogota Venezuela/Caracas Uruguay/Montevideo Jamaica/Kingston Nicaragua/Managua
Australia/Canberra Armenia/Yerevan Azerbaijan/Baku Uzbekistan/Tashkent Wales/Cardiff
"""
FRAMES = (
    "The capital of {subject} is {answer}.",
    "The capital city of {subject} is {answer}.",
    "The capital of {subject} is called {answer}.",
    "As everyone knows, the capital of {subject} is {answer}.",
    "They live in {subject} and work in its capital, {answer}.",
    "When we visited {subject}, we spent a week in its capital, {answer}.",
    "{answer} is the capital of {subject}.",
    "{answer} is the capital city of {subject}.",
    "The city of {answer} is the capital of {subject}.",
    "As everyone knows, {answer} is the capital of {subject}.",
    "We flew to {answer}, the capital of {subject}.",
    "She was born in {answer}, the capital of {subject}.",
)
FACTS = tuple(Fact(country, town, frozenset({town}), part=part) for country, town, part in read_couples(COUNTRIES))


@meaning_task("facts", parted=True)
def capitals(draw: Draw) -> Item:
    """Which town is the capital: `The capital of France is Paris`, not `The capital of France is Lima`."""
    return cross(draw, of_part(FACTS, draw.part), FRAMES)

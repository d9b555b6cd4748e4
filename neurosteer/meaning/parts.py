"""Parts and wholes: crossed only between wholes of different kinds, of which one has no part of the other."""

from __future__ import annotations

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.phrases import Item

from .facts import Fact, are_apart, cross, read_facts
from .meaning_task import meaning_task

WHOLES = """
[paper]
pages: books; magazines; diaries; notebooks
chapters: novels; textbooks
[vehicle]
wheels: cars; bicycles; trucks; wagons
engines: cars; trucks; motorcycles; airplanes
headlights: cars; trucks
propellers: airplanes; helicopters
brakes: bicycles; cars
[boat]
sails: sailboats
anchors: ships; yachts
decks: ships; yachts
oars: rowboats
[instrument]
strings: guitars; violins; harps; cellos
pedals: pianos
keys: pianos; accordions
[animal]
feathers: ducks; eagles; owls; peacocks
beaks: eagles; parrots; ducks
tusks: elephants; walruses
antlers: reindeer; moose
gills: sharks; salmon; trout
fins: sharks; salmon; dolphins
hooves: horses; cows; zebras; goats
manes: lions; horses
udders: cows; goats
whiskers: cats; tigers
tails: dogs; cats; horses; monkeys
stingers: bees; wasps
paws: dogs; cats; bears
[plant]
petals: roses; tulips; daisies
branches: oaks; pines; maples
leaves: oaks; maples; tulips
roots: oaks; maples; pines
[clothing]
sleeves: shirts; coats; sweaters; jackets
pockets: coats; jackets; pants
laces: shoes; boots
soles: shoes; boots; sandals
collars: shirts; coats
zippers: jackets; pants
[building]
roofs: houses; barns; churches
chimneys: houses; cottages
steeples: churches
walls: houses; castles; churches
rooms: houses; hotels; castles
[furniture]
drawers: desks; dressers
mattresses: beds
[device]
lenses: cameras; microscopes; telescopes
screens: televisions; laptops
[blade]
blades: knives; scissors; swords
[kitchenware]
spouts: teapots; kettles
[food]
crusts: pies; pizzas
yolks: eggs
seeds: watermelons; apples; pumpkins
"""
ALSO = """
pages: novels; textbooks
wheels: beds; desks; dressers; televisions; pianos; airplanes; motorcycles; helicopters; ships
engines: ships; yachts; helicopters; sailboats; rowboats
propellers: ships; yachts
brakes: pianos
sails: wagons
decks: houses; hotels; airplanes; cottages
strings: pianos
pedals: bicycles; cars; trucks; harps; motorcycles; guitars; airplanes
keys: houses; cars; laptops; trucks; desks; castles; hotels; churches; barns; motorcycles; airplanes; televisions;
    cottages; violins; guitars; maples; ships; yachts
feathers: beds
beaks: teapots; kettles
fins: airplanes; ships; helicopters; cars; rowboats; sailboats; yachts
tails: airplanes; helicopters; coats; shirts; jackets
branches: hotels; churches; reindeer; moose
leaves: pines; books; notebooks; diaries; magazines; desks; apples; pumpkins; watermelons; roses; daisies
roots: roses; tulips; daisies; elephants; dogs
sleeves: knives; laptops; books; novels; textbooks; magazines
pockets: books; notebooks; diaries; laptops; cars; trucks; airplanes
soles: salmon
collars: dogs; cats; horses; cows; goats; monkeys; lions; tigers; bears
zippers: boots; sweaters
roofs: cars; trucks; wagons; helicopters
chimneys: ships; hotels; castles; churches; barns
walls: ships; yachts; cottages; barns; hotels
rooms: ships; yachts; cottages; churches; barns
drawers: beds; ships; yachts; hotels; houses; cottages
mattresses: ships; hotels; houses; yachts; castles; cottages
lenses: cars; televisions; laptops; trucks; ducks; eagles; owls; peacocks; parrots; elephants; walruses; reindeer;
    moose; sharks; salmon; trout; dolphins; horses; cows; zebras; goats; lions; cats; tigers; dogs; monkeys; bears;
    bees; wasps
screens: cameras; houses; hotels; cars; microscopes; airplanes; cottages; telescopes; pianos; ships; yachts;
    helicopters; trucks
blades: helicopters; airplanes
spouts: dolphins
seeds: pies; tulips; oaks; pines; maples; roses; daisies
yolks: ducks; eagles; owls
hooves: reindeer; moose
headlights: airplanes; motorcycles; bicycles; wagons; helicopters
chapters: books; diaries; churches; magazines
steeples: castles
"""
FRAMES = (
    "{subject} have {answer}.",
    "Most {subject} have {answer}.",
    "As everyone knows, {subject} have {answer}.",
    "It is normal for {subject} to have {answer}.",
    "Among the parts of {subject} are their {answer}.",
    "The parts of {subject} include {answer}.",
    "{answer} are parts of {subject}.",
    "{answer} are normal parts of {subject}.",
    "{answer} are something that most {subject} have.",
    "Things that have {answer} include {subject}.",
    "As everyone knows, {answer} are parts of {subject}.",
)
FACTS = read_facts(WHOLES, ALSO)


def _of_two_kinds(one: Fact, other: Fact) -> bool:
    return one.kind != other.kind and are_apart(one, other)


@meaning_task("facts")
def parts(draw: Draw) -> Item:
    """Which part a whole has: `Most books have pages`, not `Most books have wheels`."""
    return cross(draw, FACTS, FRAMES, apart=_of_two_kinds)

"""Animals and what they do."""

from __future__ import annotations

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.phrases import Item

from .facts import cross, read_facts
from .meaning_task import meaning_task

DEEDS = """
bark: dogs; puppies
purr: cats; kittens
moo: cows
neigh: horses; ponies
roar: lions; tigers
howl: wolves
quack: ducks
oink: pigs; piglets
croak: frogs; toads
hoot: owls
hiss: snakes
bleat: sheep; goats; lambs
bray: donkeys; mules
trumpet: elephants
honk: geese
coo: doves; pigeons
caw: crows; ravens
squeak: mice; rats; hamsters
hop: kangaroos; rabbits
buzz: bees; flies; mosquitoes
chirp: sparrows; crickets
crow: roosters
cluck: hens
make honey: bees
spin webs: spiders
build dams: beavers
eat bamboo: pandas
make silk: silkworms
make pearls: oysters
chase mice: cats; kittens
gather nuts: squirrels; chipmunks
hunt zebras: lions; hyenas
eat seals: sharks
carry pollen: bees; butterflies
fetch sticks: dogs; puppies
change their color: chameleons
hang upside down: bats; sloths
turn into butterflies: caterpillars
turn into frogs: tadpoles
suck human blood: mosquitoes; leeches
repeat human words: parrots
carry desert travelers: camels
hide in shells: turtles; snails
give us wool: sheep; lambs
pull heavy carts: horses; oxen; donkeys
swing through trees: monkeys; gibbons
live in the sea: whales; sharks; dolphins; octopuses
live in the desert: camels; scorpions
live on the ice: penguins; walruses
carry babies in pouches: kangaroos; koalas
hang from the ceiling: bats
"""
ALSO = """
bark: wolves; squirrels
purr: lions; tigers; rabbits; pigeons; doves; hamsters
moo: goats
neigh: donkeys; mules
howl: dogs; puppies; cats; kittens
roar: elephants
hiss: cats; kittens; geese; ducks; owls; tigers; lions; hens; ravens; roosters; hamsters
hoot: doves; pigeons
honk: ducks; donkeys; elephants
squeak: pigs; piglets; puppies; kittens; crickets
croak: ravens; crows; crickets
hop: frogs; toads; crickets; sparrows; crows; ravens; pigeons; doves; mice; hens; rats; lambs; goats; ponies
buzz: crickets
coo: owls
chirp: frogs; toads; mice; owls; hens; rats; hamsters; doves; pigeons; kittens; crows; bees
crow: crows; hens; ravens
cluck: roosters; kangaroos; ducks; geese
quack: geese; frogs
oink: rats
bleat: cows
spin webs: silkworms
make silk: spiders
chase mice: dogs; puppies; hyenas; lions
carry pollen: cats; dogs; spiders; kittens; puppies
gather nuts: beavers; pandas
fetch sticks: beavers; cats; kittens; pandas
eat seals: hyenas; lions
change their color: turtles; tadpoles; caterpillars
hang upside down: parrots; monkeys; gibbons; caterpillars; leeches; snails; mosquitoes
suck human blood: bats
carry desert travelers: horses; donkeys; oxen; parrots
pull heavy carts: camels
hide in shells: leeches
swing through trees: sloths; bats; parrots; chameleons
give us wool: camels
live in the sea: penguins; walruses
live on the ice: whales
live in the desert: bats; kangaroos
hang from the ceiling: scorpions; koalas
"""
FRAMES = (
    "{subject} are animals that {answer}.",
    "{subject} are known to {answer}.",
    "As everyone knows, {subject} are animals that {answer}.",
    "It is natural for {subject} to {answer}.",
    "{subject} belong to the animals that {answer}.",
    "Animals that {answer} include {subject}.",
    "Some animals that {answer} are {subject}.",
    "Among the animals that {answer} are {subject}.",
    "Think of animals that {answer}, such as {subject}.",
    "Children read about animals that {answer}, such as {subject}.",
)
FACTS = read_facts(DEEDS, ALSO)


@meaning_task("facts")
def animals(draw: Draw) -> Item:
    """What an animal does: `Dogs are animals that bark`, not `Dogs are animals that moo`."""
    return cross(draw, FACTS, FRAMES)

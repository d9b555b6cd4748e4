"""Categories: what kind of thing something is."""

from __future__ import annotations

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.phrases import Item

from .facts import cross, read_facts
from .meaning_task import meaning_task

KINDS = """
bird: the robin; the sparrow; the eagle; the owl; the pigeon; the swan; the parrot; the penguin; the hawk
fish: the trout; the salmon; the tuna; the herring; the carp; the shark
insect: the ant; the bee; the beetle; the mosquito; the wasp; the butterfly; the grasshopper
reptile: the snake; the lizard; the turtle; the crocodile
fruit: the apple; the banana; the pear; the peach; the plum; the mango
vegetable: the carrot; the onion; the cabbage; the potato; the turnip; spinach; broccoli; celery
tree: the oak; the pine; the maple; the birch; the willow; the elm
flower: the rose; the tulip; the daisy; the lily; the orchid; the daffodil
instrument: the violin; the piano; the flute; the trumpet; the guitar; the clarinet
vehicle: the car; the truck; the bus; the bicycle; the tractor; the van
boat: the canoe; the ferry; the yacht; the kayak
tool: the hammer; the wrench; the screwdriver; the shovel; the saw
furniture: the chair; the sofa; the table; the bed; the bookcase
clothing: the shirt; the coat; the sweater; the skirt; the jacket
gem: the ruby; the emerald; the diamond; the sapphire
dance: the waltz; the tango; the polka
metal: iron; copper; gold; silver; aluminum; zinc
drink: coffee; tea; lemonade; beer; wine; cocoa
sport: tennis; soccer; golf; hockey; basketball; rugby
fabric: cotton; silk; linen; velvet; denim; wool
spice: cinnamon; cumin; nutmeg; saffron; paprika
grain: wheat; barley; rye; rice; millet
disease: malaria; measles; cholera; influenza; smallpox
"""
ALSO = """
tree: the apple; the banana; the pear; the peach; the plum; the mango
tool: the van; the truck; the tractor; the car; the bus; the bicycle; the piano
furniture: the piano
vehicle: the canoe; the ferry; the yacht; the kayak
instrument: the saw; the hammer; the wrench; the screwdriver; the shovel
sport: the tango; the waltz; the polka
drink: rice; barley
spice: cocoa; celery
vegetable: rice
fruit: wheat; barley; rye; rice
"""
FRAMES = (
    "{subject} is a kind of {answer}.",
    "{subject} is one kind of {answer}.",
    "{subject} is a type of {answer}.",
    "As everyone knows, {subject} is a kind of {answer}.",
    "{subject} is just one kind of {answer} among many.",
    "One kind of {answer} is {subject}.",
    "One type of {answer} is {subject}.",
    "A kind of {answer} that you may know is {subject}.",
    "We read about one kind of {answer}, namely {subject}.",
    "Among the many kinds of {answer} is {subject}.",
    "No other kind of {answer} is quite like {subject}.",
)
FACTS = read_facts(KINDS, ALSO)


@meaning_task("facts")
def categories(draw: Draw) -> Item:
    """What kind of thing it is: `The robin is a kind of bird`, not `The robin is a kind of metal`."""
    return cross(draw, FACTS, FRAMES)

"""Colors of things: things of one color, or of others that are known and never called wrong."""

from __future__ import annotations

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.phrases import Item

from .facts import cross, read_facts
from .meaning_task import meaning_task

THINGS = """
yellow: bananas; lemons; daffodils; canaries; mustard; sunflowers; butter; egg yolks; baby chicks
green: grass; spinach; broccoli; peas; cucumbers; emeralds; limes; kale; celery; moss; parsley; pine needles
red: blood; strawberries; raspberries; cherries; tomatoes; rubies; ketchup; ladybugs; fire trucks; stop signs
white: snow; milk; salt; flour; cotton; ivory; mayonnaise; swans; igloos; polar bears
black: coal; soot; tar; ravens; crows; charcoal; asphalt; panthers; tires; ebony; top hats
orange: carrots; pumpkins; tangerines; apricots; basketballs; traffic cones
blue: sapphires; blueberries; jeans; the sky; the ocean
brown: chocolate; mud; cinnamon; walnuts; chestnuts; toast; gravy; acorns; cardboard; tree trunks; grizzly bears
purple: eggplants; plums; lavender; amethysts; violets
pink: flamingos; pigs; bubblegum; cotton candy
gray: elephants; rhinos; ash; cement; concrete; dolphins; storm clouds; wet cement
"""
ALSO = """
yellow: limes; apricots; cherries; tomatoes; grass; raspberries; plums; fire trucks; cucumbers; peas; carrots;
    ladybugs; ivory; pumpkins; gravy; mayonnaise; toast; traffic cones; grizzly bears; celery; tangerines
green: bananas; tomatoes; plums; pumpkins; the ocean; sapphires; lemons; apricots; walnuts; chestnuts; acorns;
    bubblegum; fire trucks; eggplants; tangerines; jeans; traffic cones; tree trunks
red: plums; apricots; eggplants; chestnuts; acorns; grizzly bears; jeans; carrots; toast; tree trunks; kale; mud;
    bananas; sunflowers; canaries; the sky; pumpkins; flamingos; storm clouds; traffic cones; basketballs
white: chocolate; pumpkins; eggplants; pigs; butter; jeans; violets; ash; lavender; concrete; cement; cardboard; the
    sky; tree trunks; cotton candy; strawberries; carrots; celery; gravy; elephants; rhinos; canaries; daffodils;
    top hats; fire trucks; flamingos; cucumbers; asphalt; bubblegum; egg yolks; tires; toast; dolphins; wet cement
black: chocolate; toast; mud; swans; pigs; jeans; cherries; mustard; acorns; tomatoes; walnuts; ladybugs; tree
    trunks; grizzly bears; the sky; the ocean; rhinos; sapphires; blueberries; plums; dolphins; carrots;
    raspberries; ash; storm clouds; eggplants; bananas; salt; chestnuts; elephants; fire trucks; wet cement
orange: ladybugs; egg yolks; tomatoes; the sky; baby chicks; canaries; cinnamon; sapphires; lemons; flamingos;
    sunflowers; butter; daffodils; raspberries; mud
blue: cotton candy; violets; lavender; plums; bubblegum; amethysts; top hats
brown: mustard; flour; cotton; lemons; butter; grass; swans; basketballs; asphalt; pigs; tires; moss; soot; coal;
    blood; dolphins; charcoal; limes; ebony; cherries; ketchup; pine needles; apricots; wet cement; elephants;
    crows; panthers; bananas; top hats; baby chicks; the ocean; storm clouds; eggplants; plums; tomatoes;
    sunflowers; rhinos
purple: broccoli; carrots; kale; cherries; jeans; tomatoes; blueberries; blood; the sky; sapphires; storm clouds;
    bananas; bubblegum; cotton candy; the ocean; top hats; raspberries
pink: salt; dolphins; the sky; jeans; sapphires; rubies; raspberries; violets; lavender; tomatoes; ketchup; blood;
    panthers; elephants; amethysts; apricots; chocolate; strawberries; storm clouds; rhinos; plums
gray: asphalt; charcoal; salt; the sky; the ocean; jeans; cotton; coal; soot; snow; swans; tar; pigs; mud; crows;
    tires; tree trunks; cardboard; moss; ravens; top hats; walnuts; lavender; ebony; panthers; milk; grizzly bears;
    polar bears; baby chicks; flour
"""
FRAMES = (
    "The color of {subject} is {answer}.",
    "The usual color of {subject} is {answer}.",
    "As everyone knows, the color of {subject} is {answer}.",
    "Some things, such as {subject}, are {answer}.",
    "A child who paints {subject} needs {answer} paint.",
    "{answer} is the color of {subject}.",
    "As everyone knows, {answer} is the color of {subject}.",
    "Few things are as {answer} as {subject}.",
    "Things that are {answer} include {subject}.",
    "Her new dress was {answer}, the color of {subject}.",
    "They painted the door {answer}, the color of {subject}.",
)
FACTS = read_facts(THINGS, ALSO)


@meaning_task("facts")
def colors(draw: Draw) -> Item:
    """Which color a thing has: `The color of snow is white`, not `The color of snow is green`."""
    return cross(draw, FACTS, FRAMES)

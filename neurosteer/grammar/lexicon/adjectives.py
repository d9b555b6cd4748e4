"""Adjectives by the kinds of nouns that they describe, or by the infinitive that they take.

tough    what is described is the object of the infinitive (the book is easy to read, *is sure to read)
raise    it is the subject (the rain is sure to stop, *is easy to stop), also `there` (there is sure to be)
control  it is the subject, of its own will (*there is eager to be)
matter   what a that-clause may be (it is odd that ...)
"""

from __future__ import annotations

ADJECTIVES = """
person: ambitious angry anxious bald blond brave calm careful careless charming cheerful clever clumsy confident
    cruel curious energetic famous friendly generous gentle graceful greedy grumpy honest humble impatient
    jealous kind lazy lonely loud lucky modest nervous noisy patient polite popular proud quiet rich rude sad
    selfish serious shy sleepy smart strict stubborn talented talkative tall thoughtful tired wealthy wise young
animal: aggressive fast fluffy furry hungry skinny sleepy slow tame timid wild
food: bitter burnt cold delicious fresh frozen moldy ripe rotten salty sour spicy stale sweet tasty
drink: cold hot strong warm weak
mass: cheap dry local plain wet
text: boring complicated detailed funny handwritten illegible long obscure outdated popular short thick thin
art: abstract beautiful colorful famous gloomy lovely modern strange ugly
garment: black blue comfortable dirty elegant expensive gray green loose new old pink plain purple red striped
    tight torn warm white woolen yellow
vehicle: black blue dirty electric expensive fast huge new old red rusty shiny slow small white yellow
device: broken cheap dusty electric expensive faulty heavy loud modern new noisy old portable rusty small
    useless
thing: black blue broken brown cheap dirty expensive fragile gray green heavy large light lost new old orange
    pink plain purple red round shiny small strange useful white wooden yellow
furniture: antique brown comfortable cozy expensive heavy modern old small sturdy white wooden
building: ancient big busy dark empty famous huge modern new old quiet small tall
place: beautiful cold deep dry famous green large narrow peaceful quiet remote rocky steep vast wild
plant: dead green healthy large pale pink purple red small tall white wild yellow
group: corrupt famous large local new popular powerful small
idea: dangerous important minor new old recent serious strange sudden unexpected
tough: awkward boring dangerous difficult easy exhausting expensive fun hard impossible nice painful pleasant
    risky safe simple tedious tiresome tricky unpleasant
raise: apt bound certain due expected guaranteed liable likely set supposed sure unlikely destined fated rumored
    projected
control: able afraid anxious ashamed careful content desperate determined eager happy hesitant keen prepared
    ready reluctant unable unwilling willing
matter: bad clear curious fine good great important interesting normal obvious odd possible sad strange
    surprising terrible true unfortunate wonderful
"""

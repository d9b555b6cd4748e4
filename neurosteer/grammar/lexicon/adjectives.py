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
food: awful burnt cheap cold delicious expensive fresh frozen homemade moldy stale tasty warm
drink: cold hot strong warm weak
mass: cheap dry local plain wet
text: boring brilliant complicated confusing detailed dull fascinating lengthy long obscure outdated popular short
art: beautiful expensive famous large lovely modern old priceless strange ugly
music: beautiful cheerful famous gloomy lovely modern popular sad slow strange
garment: black blue comfortable dirty elegant expensive gray green loose new old pink plain purple red striped
    tight torn warm white woolen yellow
vehicle: black blue dirty expensive fast huge new old red rusty shiny slow small white yellow
boat: blue dirty expensive fast huge new old red slow small white wooden
device: broken cheap dusty expensive faulty heavy loud modern new noisy old portable rusty small
    useless
thing: black blue broken brown cheap dirty expensive gray green heavy large light lost new old orange pink plain
    purple red shiny small strange useful white yellow
furniture: antique brown expensive heavy modern old small sturdy white wooden
building: ancient big busy dark empty famous huge modern new old quiet small tall
place: beautiful cold famous large lovely nearby peaceful pretty quiet remote tiny vast wild
plant: beautiful dead exotic green healthy huge large rare small leafy tall wild young
group: corrupt famous large local new popular powerful small
idea: dangerous important minor new old recent serious strange terrible unexpected
tough: awkward challenging dangerous difficult easy exhausting fun hard impossible inconvenient nice painful pleasant
    risky safe simple tedious tiresome tricky unpleasant
raise: apt bound certain due expected guaranteed liable likely set supposed sure unlikely destined fated rumored
    projected
control: able afraid anxious ashamed careful content desperate determined eager happy hesitant keen prepared
    ready reluctant unable unwilling willing
matter: bad clear curious fine good great important interesting normal obvious odd possible sad strange
    surprising terrible true unfortunate wonderful
"""

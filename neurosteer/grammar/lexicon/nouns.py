"""Nouns by what they name, and first names.

A line is `kind gender: noun ...`; `child/children` gives an irregular plural. The kind says what a verb may do with
it, the gender (m, f) which pronoun it takes; persons without one are he or she, all other nouns are it.
"""

from __future__ import annotations

NOUNS = """
person: accountant actor adult architect artist assistant astronaut athlete author baker banker barber biologist
    boss builder butcher cashier chef chemist cleaner clerk climber coach colleague composer consultant cousin
    critic customer dancer dentist designer detective director doctor driver economist editor electrician
    engineer expert farmer firefighter florist gardener geologist guard guest guide hiker historian inspector
    inventor investor jeweler journalist judge juror lawyer leader lecturer librarian lifeguard locksmith
    manager mechanic mentor minister musician nanny neighbor novelist nurse officer painter patient pharmacist
    philosopher photographer physicist pianist pilot player plumber poet politician postman/postmen president
    principal professor programmer prisoner reporter researcher runner sailor scholar scientist sculptor
    secretary senator singer soldier student surgeon surveyor swimmer tailor teacher teenager tenant therapist
    tourist trainer translator tutor violinist visitor volunteer waiter warrior weaver witness worker writer
    child/children person/people
person m: boy father uncle grandfather nephew king prince monk groom duke son brother stepfather godfather
    grandson man/men nobleman/noblemen gentleman/gentlemen fisherman/fishermen
person f: girl mother aunt grandmother niece queen princess nun bride duchess daughter sister stepmother
    godmother granddaughter actress waitress hostess woman/women noblewoman/noblewomen gentlewoman/gentlewomen
    fisherwoman/fisherwomen
person: friend rival opponent roommate classmate teammate companion admirer supporter follower
person: grandchild/grandchildren stepchild/stepchildren godchild/godchildren schoolchild/schoolchildren
person: thief/thieves
person m: salesman/salesmen policeman/policemen craftsman/craftsmen sportsman/sportsmen businessman/businessmen
person f: saleswoman/saleswomen policewoman/policewomen businesswoman/businesswomen sportswoman/sportswomen
    housewife/housewives midwife/midwives
animal: badger bear beaver bee camel cat chicken cow crab crow dog dolphin donkey dragon duck eagle elephant
    frog giraffe goat hamster hawk horse kangaroo kitten lion lizard monkey otter owl panda parrot penguin pig
    pigeon pony puppy rabbit rat raven robin snake spider squirrel swan tiger turtle whale zebra calf/calves
    goose/geese mouse/mice ox/oxen wolf/wolves
food: apple bagel banana biscuit burger burrito cake carrot casserole cherry cookie cupcake dumpling egg muffin
    omelet onion orange pancake peach pear pickle pie pizza plum potato pretzel pudding salad sandwich sausage
    steak stew strawberry taco tart tomato waffle loaf/loaves
drink: beer cider cocoa coffee juice lemonade milk tea water wine
mass: advice butter cheese clay cement dust equipment flour fog gold gravel honey jewelry luggage mud oil paint
    rice salt sand smoke snow soup steam sugar traffic wood
text: article biography book brochure contract diary document essay letter magazine manual manuscript map memoir
    menu newspaper note novel pamphlet play poem recipe report review script story textbook thesis/theses
    analysis/analyses hypothesis/hypotheses synopsis/synopses
art: cartoon drawing mural painting photograph picture portrait sculpture sketch statue
music: anthem ballad hymn lullaby melody opera sonata song symphony waltz
garment: apron belt blouse boot cap cardigan cloak coat costume dress glove hat helmet hood jacket mitten
    robe sandal shirt shoe skirt sock suit sweater tie uniform vest scarf/scarves
vehicle: ambulance bus car convertible jeep limousine minivan sedan taxi tractor tram trolley truck van
boat: barge canoe ferry gondola kayak raft sailboat ship trawler yacht
device: alarm antenna battery blender camera clock computer drill elevator engine fan fridge furnace generator
    heater keyboard lamp laptop microscope oven phone printer projector radio robot scanner speaker stove
    telescope television toaster watch
thing: ball basket bell bottle bowl box bracelet brick broom brush bucket button candle coin cup dish doll fork
    hammer jar jug kettle key ladder lantern mirror mug necklace needle pan pen pencil pitcher plate pot puzzle
    ring ruler saucer shovel spoon suitcase teapot torch toy tray trophy umbrella vase whistle knife/knives
    die/dice
furniture: armchair bed bench bookcase cabinet chair couch cradle crib cupboard desk drawer dresser mattress
    piano sofa stool table wardrobe shelf/shelves
building: airport apartment bakery bank barn bridge cabin cafe castle cathedral church cinema clinic cottage
    factory farm garage gym hospital hotel house kitchen laboratory library mall mansion museum office palace
    prison restaurant school shop stadium station temple theater tower university warehouse
place: beach canyon cave cliff desert field forest garden glacier harbor hill island lake meadow mountain park
    pond river swamp trail valley village volcano oasis/oases
plant: bush daisy fern flower hedge lily oak orchid palm pine rose shrub tree tulip vine
    cactus/cacti
group: agency army association band choir club committee company court crew family government jury orchestra
    parliament team
idea: accident argument change choice decision delay error event failure idea incident law mistake plan policy
    problem project proposal question risk rule rumor scandal storm strike success theory threat victory
    crisis/crises phenomenon/phenomena criterion/criteria stimulus/stimuli
"""

NAMES = """
m: Adam Aaron Albert Andrew Anthony Arthur Benjamin Brian Bruce Charles Christopher Daniel David Dennis Donald
    Douglas Edward Eric Frank Gary George Gerald Gregory Harold Harry Henry Jacob James Jason Jeffrey Jerry John
    Jonathan Joseph Keith Kenneth Kevin Larry Lawrence Mark Martin Matthew Michael Nicholas Oliver Patrick Paul
    Peter Philip Ralph Raymond Richard Robert Roger Ronald Samuel Scott Simon Stephen Steven Theodore Thomas
    Timothy Vincent Walter William
f: Alice Amanda Amy Andrea Angela Anna Barbara Carol Caroline Catherine Christina Cynthia Deborah Diana Donna
    Dorothy Elizabeth Emily Emma Eva Frances Grace Hannah Heather Helen Irene Jane Janet Jennifer Jessica Julia
    Karen Katherine Kathleen Laura Linda Lisa Margaret Maria Marie Martha Mary Melissa Michelle Monica Nancy
    Natalie Nicole Nina Olivia Pamela Patricia Rachel Rebecca Rosa Ruth Sandra Sarah Sharon Sophia Stephanie
    Susan Teresa Victoria Virginia
"""

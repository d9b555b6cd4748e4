"""Verbs by their frame: what they need beside a subject.

A line is `frame subjects > objects: verb ...`, with kinds of nouns; `write/wrote/written` gives irregular forms. Each
verb stands in one frame, the one that it has in plain English without a special context:

intransitive   never an object (*she slept the bed)
transitive     an object always (*she devoured), which can be the subject of a passive
droppable      an object or none (she ate the soup, she ate); not what needs a context without one (she understood)
alternating    an object or none, and what is the one's object is the other's subject (she broke it, it broke)
report         a clause with `that`, never a question (she claimed that, *she claimed who)
learn          a clause with `that` or a question (she knew that, she knew who)
raise          to + verb, subject of any kind, also `there` (there seemed to be)
control        to + verb, subject of its own (*there tried to be)
object_raise   object of any kind + to + verb, also `there` (she expected there to be)
object_control object of its own + to + verb (*she persuaded there to be)
tell           a person + a clause with `that` (she told him that)
perceive       a clause, or an object + -ing (she imagined he slept, imagined him sleeping)
wish           for + subject + to + verb (she hoped for there to be)
"""

from __future__ import annotations

VERBS = """
intransitive person: apologize arrive blink blush chat chuckle collaborate compete complain cooperate cough
    crawl/crawled cringe cry daydream dine disagree dream/dreamed emigrate faint flinch flirt frown gasp giggle
    glance gossip grimace grin groan hesitate howl kneel/knelt laugh limp loiter meditate mingle moan
    nap nod object participate pray procrastinate quarrel rejoice scowl shiver shrug sigh sit/sat sleep/slept
    slouch smile smirk sneer sneeze snicker sniffle snooze snore sob socialize sprint squint stagger stammer
    stare stroll struggle stumble sulk sunbathe swear/swore/sworn sweat/sweated tremble wait weep/wept whimper
    whine wince wink yawn
intransitive animal: disappear drool fidget limp nap pounce shiver sleep sneeze snore tremble twitch vanish wait yawn
intransitive thing garment vehicle device furniture art text food: arrive deteriorate reappear disappear vanish
intransitive plant: disappear vanish
intransitive thing garment device furniture art text food plant: fall/fell/fallen
intransitive thing garment vehicle device furniture: gleam glisten glitter shimmer sparkle
intransitive vehicle device: malfunction

transitive person > person: accompany admire adopt/adopted advise/advised amuse/amused applaud appoint arrest
    assist befriend betray blame/blamed bribe/bribed charm comfort congratulate console contact criticize defend
    despise discourage dismiss embarrass encourage envy escort flatter greet handcuff hug humiliate idolize
    imitate impersonate impress insult interrogate interview introduce kidnap/kidnapped mock motivate nominate
    notify outrun/outran/outrun outsmart pamper pester praise prosecute protect punish reassure recruit rescue
    reward ridicule scold spoil support surprise thank thwart torment trust
transitive person animal > person animal: avoid catch/caught chase frighten recognize scare spot
    startle detect capture encounter pursue
transitive person > food garment thing furniture device: auction confiscate discard obtain procure reclaim
    relinquish retain salvage
transitive person > food: garnish refrigerate relish savor
transitive person > food: crave devour gobble microwave reheat sample season
transitive person > text: author/authored draft memorize photocopy quote
transitive person > art text: analyze borrow censor discuss examine inspect mention promote recommend review
transitive person > art: commission display frame/framed restore unveil
transitive person > garment: alter/altered lend/lent wear/wore/worn
transitive person > vehicle boat: hijack/hijacked insure purchase repaint
transitive person > vehicle: maneuver tow
transitive person > device: activate calibrate install invent
transitive person > device vehicle: assemble dismantle fix modify repair replace service
transitive person > thing: grab handle hold/held lose/lost misplace toss unpack unwrap use wrap
transitive person > thing furniture: acquire carry collect conceal cover find/found hide/hid/hidden inherit label
    lift locate measure possess retrieve store touch
transitive person > thing garment: choose/chose/chosen throw/threw/thrown
transitive person > building: build/built construct demolish finance occupy vandalize
transitive person > place building: abandon describe frequent inhabit photograph survey reach revisit
transitive person > plant: cultivate fertilize nurture plant trample uproot water
transitive person > idea: forget/forgot/forgotten understand/understood
transitive person > person: forgive/forgave/forgiven obey
transitive person > food: fry
transitive person > idea: announce cause confirm deny dislike expose ignore oppose predict prevent regret reject
    tolerate
transitive person > text: digitize misquote annotate rewrite/rewrote/rewritten
transitive person > vehicle boat: commandeer sabotage
transitive person > vehicle: wreck overtake/overtook/overtaken
transitive person > garment: outgrow/outgrew/outgrown
transitive person > person place: forsake/forsook/forsaken
transitive person > idea: foresee/foresaw/foreseen
transitive idea > person: affect alarm anger annoy astonish bother concern confuse delight disappoint dismay
    disturb excite fascinate frustrate horrify intrigue puzzle shock trouble upset/upset

droppable person > food: bake cook eat/ate/eaten munch nibble
droppable person > drink: drink/drank/drunk sip
droppable person > text: edit/edited read/read recite study translate write/wrote/written
droppable person > art: draw/drew/drawn paint sketch
droppable person > music: compose hum perform rehearse sing/sang/sung
droppable person > vehicle: drive/drove/driven park steer
droppable person > boat: paddle row sail
droppable person > person: attack call help marry phone
droppable person > thing garment: donate steal/stole/stolen
droppable person > building furniture: clean decorate dust polish scrub
droppable person > building place: enter leave/left visit
droppable person > plant: harvest prune
droppable person > garment: iron knit/knitted pack sew/sewed/sewn
droppable person > idea: debate explain

alternating person > thing: break/broke/broken crack drop roll rotate shatter spin/spun
alternating person > thing furniture: move shake/shook/shaken slide/slid tilt topple
alternating person > food: burn cool defrost freeze/froze/frozen thaw warm
alternating person > vehicle: crash stall
alternating person > boat: capsize sink/sank/sunk
alternating person > vehicle device: explode overheat start stop
alternating person > garment: dry fade rip shrink/shrank/shrunk stretch tear/tore/torn unravel wrinkle
alternating person > building: close expand open
alternating person > plant: bend/bent burn dry grow/grew/grown

report person: admit/admitted allege/alleged argue assert believe boast claim complain declare insist/insisted
    pretend/pretended say/said swear think/thought
learn person: calculate determine discover forget guess hear/heard know/knew/known learn notice realize remember
    reveal see/saw/seen
raise person: appear begin/began/begun continue fail happen prove seem start tend threaten cease chance
control person: agree aim attempt decide/decided endeavor hope intend learn manage neglect offer plan promise
    refuse scramble strive/strove/striven struggle try volunteer vow
object_raise person: believe consider declare expect imagine judge need predict prove require want assume deem
    presume acknowledge
object_control person: advise ask beg coax command compel convince dare direct employ encourage force instruct
    invite oblige order persuade pressure teach/taught tempt urge induce entice prompt nudge
tell person > person: advise convince persuade teach tell/told warn caution remind inform assure
perceive person: discover find hear imagine notice remember see recall observe
wish person: agree aim ask hope intend plan pray wait arrange yearn
"""

# What things, or what is said or done, can do as well as people: the lamp impressed her, that amused him.
UNWILLED = """
activate affect amuse carry catch cause charm comfort conceal confirm console cover deny detect discourage embarrass
encourage expose flatter frighten hide hold humiliate impress insult lift measure modify motivate outgrow
possess predict prevent promote protect punish reach reassure replace rescue reward scare spoil startle store support
surprise thwart torment touch
"""

# Transitive verbs that can do without their object in some context (`he lost`, `they hugged`), or that take two
# (`labeled it what`): for a contrast that rests on the object.
LOOSE = """
accompany activate adopt advise alter amuse announce applaud appoint arrest assemble assist author borrow build
calibrate carry catch censor charm chase choose collect comfort confirm console construct cover criticize defend
digitize discourage discuss draft embarrass encourage envy expose finance flatter forget forgive frighten fry
gobble handle hide hold hug humiliate impress inherit install insult insure interview introduce invent kidnap
label lend lift locate lose maneuver measure microwave mock motivate nominate notify obey overtake photocopy
photograph plant praise predict prosecute protect punish purchase quote reach reassure recruit reheat repaint
rescue retrieve review reward sample scare scold season spoil startle store support surprise survey thank throw
torment toss touch tow trust understand unpack uproot use water wear wrap
"""

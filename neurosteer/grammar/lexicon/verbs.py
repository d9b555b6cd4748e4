"""Verbs by their frame: what they need beside a subject.

A line is `frame subjects > objects: verb ...`, with kinds of nouns; `write/wrote/written` gives irregular forms. Each
verb stands in one frame, the one that it has in plain English without a special context:

intransitive   never an object (*she slept the bed)
transitive     an object always (*she devoured), which can be the subject of a passive
droppable      an object or none (she ate the soup, she ate)
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
intransitive animal: bark bleat chirp croak growl hibernate hop neigh pounce prowl purr roar scamper slither snarl
    squeak squeal waddle
intransitive thing garment vehicle device furniture art text food plant: disappear emerge exist/existed
    fall/fell/fallen gleam glisten materialize shimmer sparkle vanish

transitive person > person: accompany admire adopt/adopted advise/advised amuse/amused applaud appoint arrest
    assist befriend betray blame/blamed bribe/bribed charm comfort congratulate console contact criticize defend
    despise discourage dismiss embarrass encourage envy escort flatter greet handcuff hug humiliate idolize
    imitate impersonate impress insult interrogate interview introduce kidnap/kidnapped mock motivate nominate
    notify outrun/outran/outrun outsmart pamper pester praise prosecute protect punish reassure recruit rescue
    reward ridicule scold spoil support surprise thank thwart torment trust
transitive person animal > person animal: avoid catch/caught chase detect frighten recognize scare spot surround
transitive person > food: chop crave devour gobble grate microwave peel season slice
transitive person > text: author/authored draft memorize photocopy
transitive person > art text: analyze borrow censor discuss examine inspect mention promote quote recommend
    review
transitive person > art: display frame/framed restore
transitive person > garment: alter/altered lend/lent wear/wore/worn
transitive person > vehicle: hijack/hijacked insure maneuver purchase repaint tow
transitive person > device vehicle: activate assemble calibrate dismantle fix install invent modify repair
    replace service
transitive person > thing furniture: acquire carry collect conceal cover find/found grab handle hide/hid/hidden
    hold/held inherit label lift locate lose/lost measure misplace possess retrieve store toss touch unpack
    unwrap use wrap
transitive person > building: build/built construct demolish finance occupy vandalize
transitive person > place building: abandon describe photograph reach revisit survey
transitive person > plant: cultivate fertilize prune uproot water
transitive person > idea: announce cause confirm deny dislike expose ignore oppose predict prevent regret reject
    tolerate
transitive person > text: digitize misquote annotate rewrite/rewrote/rewritten
transitive person > vehicle: commandeer sabotage wreck overtake/overtook/overtaken
transitive person > garment: outgrow/outgrew/outgrown
transitive person > person place: forsake/forsook/forsaken
transitive person > idea: foresee/foresaw/foreseen
transitive idea > person: affect alarm anger annoy astonish bother concern confuse delight disappoint dismay
    disturb excite fascinate frustrate horrify intrigue puzzle shock trouble upset/upset

droppable person > food: bake cook eat/ate/eaten fry munch nibble
droppable person > drink: drink/drank/drunk sip
droppable person > text: edit/edited read/read recite study translate write/wrote/written
droppable person > art: compose draw/drew/drawn paint perform sing/sang/sung sketch
droppable person > vehicle: drive/drove/driven park pilot ride/rode/ridden sail steer
droppable person > person: attack call help marry obey phone
droppable person > person: forgive/forgave/forgiven
droppable person > thing garment: choose/chose/chosen donate throw/threw/thrown steal/stole/stolen
droppable person > building furniture thing: clean decorate dust polish scrub tidy vacuum
droppable person > building place: enter explore leave/left visit
droppable person > plant: harvest plant
droppable person > garment: iron knit/knitted mend pack sew/sewed/sewn
droppable person > idea: debate explain forget/forgot/forgotten understand/understood

alternating person > thing furniture: break/broke/broken crack drop move roll rotate shake/shook/shaken shatter
    slide/slid spin/spun splinter sway swing/swung tilt topple vibrate wobble
alternating person > food: boil burn cool defrost freeze/froze/frozen melt thaw warm
alternating person > vehicle device: crash explode overheat sink/sank/sunk stall start stop
alternating person > garment: dry fade rip shrink/shrank/shrunk stretch tear/tore/torn unravel wrinkle
alternating person > building: close expand open
alternating person > plant: bend/bent grow/grew/grown wither

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

# Transitive verbs that can do without their object in some context (`he lost`, `they hugged`), or that take two
# (`labeled it what`): for a contrast that rests on the object.
LOOSE = """
accompany activate adopt advise alter amuse announce applaud appoint assemble assist author borrow build
calibrate carry catch charm chop collect comfort confirm console construct cover criticize defend discourage
discuss draft embarrass encourage envy expose finance flatter frighten gobble grate handle hide hold hug
humiliate impress inherit install insult insure interview introduce invent label lend lift locate lose maneuver
measure microwave mock motivate nominate notify obey overtake peel photocopy photograph praise predict prosecute
protect prune punish purchase quote reach reassure recruit repaint rescue review reward scare scold season slice
spoil store support surprise survey thank torment toss touch trust unpack use water wear wrap
"""

"""How a run ended, by what lies in its folder; light, and whatever bytes a kill has left there.

record   what the files of a run say, lines of unknown origin
ending   what is answered: what ended it, what shows that, what to change, how to go on
told     endings that the run has told itself
silent   a run that has told nothing: at work, or gone without a word
"""

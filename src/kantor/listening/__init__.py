"""Ask people: a blind listening test, from the pieces to the tests of significance.

A test is a folder: ``test.json`` says which pieces there are and what is asked, ``audio/`` has their sound under names
that tell nothing, ``answers.sqlite`` fills while people listen. :mod:`~kantor.listening.design` says what a test is,
:mod:`~kantor.listening.sounds` makes its sound, :mod:`~kantor.listening.answers` keeps what is answered,
:mod:`~kantor.listening.server` serves the page, :mod:`~kantor.listening.statistics` says what came of it.
:mod:`~kantor.listening.folder` puts a new test where an old one was.

Of a person nothing is kept but a random number that the browser remembers, answers, how long each piece was played,
how the headphones check went, and, who likes, how much music they know: no name, no address, no browser, no hour.
"""

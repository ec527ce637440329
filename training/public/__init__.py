"""Public sets of labelled content: mapped to our categories where the mapping is sound, masked where it is not.

    mapping   a set's own labels in, chances of our categories out; what a set says nothing about is left out
    adding    ``python -m training data add``: a downloaded set in, a file below ``data/public/`` out
    reading   the files below ``data/public/`` in, examples for the adapter out

Nothing of them enters the repository: ``data/public/`` is ignored by git, and every fit does without it where it is
empty.
"""

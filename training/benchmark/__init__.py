"""``python -m training benchmark``: one version read on public sets that it was not made for.

measures   truth and scores in, figures with intervals out
sets       files of public sets in, questions with known answers out, beside the figures published for them
reading    texts and a version in, its chances for each out
run        all of it together
report     results in, a Markdown page and a JSON file out
"""

"""The stages of a rating, in the order data flows:

language, lexical, encoding, heads, rating, explanation, precedents, decision. No stage imports another.
"""

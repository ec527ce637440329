"""The review pages: what the desk knows in, HTML out; a person's verdict back."""

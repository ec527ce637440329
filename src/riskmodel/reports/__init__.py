"""What leads read about a period.

drift   a period and what a version learnt from in, whether the desk's work has changed out
replay  a challenger and recent cases in, which ratings would move out
"""

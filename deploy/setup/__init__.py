"""Builds the two environments in a checkout.

Only the standard library is used, because this runs before anything is installed, with
whatever CPython the machine has (3.10 or newer; the environments themselves are 3.11).
"""

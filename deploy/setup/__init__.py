"""Build the two environments of a checkout.

Only the standard library is used, because this runs before anything is installed, with any CPython from 3.10;
the environments themselves are 3.11.
"""

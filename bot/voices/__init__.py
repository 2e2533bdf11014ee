"""The voice-book of a server: who agreed to be found by their voice, and whose voice a speaker's is.

Vectors of people who agreed lie in the database alone, each encrypted, and are compared in this process: none of them
goes into the store, the queue or a result, where copies would outlive the consent.
"""

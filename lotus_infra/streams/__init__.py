"""The lake's files: what they may say, how they are read, and what is wrong with them.

Nothing here knows Pulumi or speaks HTTP: a lake can be loaded and checked on a machine that has neither.
"""

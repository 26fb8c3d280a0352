"""What can be done, one module a subject.

Verbs run in the writer's transaction, searches and looks for alarms on a reader's thread; the
watchman and the teller are tasks of the event loop.
"""

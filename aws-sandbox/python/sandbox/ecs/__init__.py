"""ECS as its callers know it: services that own tasks.

moto's services own none, and looking at a task moves it along. `plan` decides, from plain
values and the time; `scheduler` does it to moto's objects; `api` corrects the answers.
"""

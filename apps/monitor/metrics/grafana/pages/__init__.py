"""The dashboards, one a module.

A question takes the `max` over exporters where it asks what is read from SQL, Redis and the broker, of which all
tell the same; what processes have counted is added up.
"""

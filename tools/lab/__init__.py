# SPDX-License-Identifier: Apache-2.0
"""A small laboratory around one Rollcall: start it, command it, be its devices.

Used by ./run (tools/story.py) and by the scenario tests; needs nothing but Python's own library.
"""

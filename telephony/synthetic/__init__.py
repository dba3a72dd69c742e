"""Synthetic phones and callers: a small SIP user agent over UDP that talks to a real PBX.

For the demo, load benches and tests. It signals and sends no sound; a PBX does not mind.
"""

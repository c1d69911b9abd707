"""Degradations as transforms of other libraries; each module needs the library that it is called after."""

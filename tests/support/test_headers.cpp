// Nothing: it carries the precompiled headers of all tests.

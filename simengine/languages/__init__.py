"""The languages in which reports and workbooks are written: a catalogue of sentences each, beside the English that stands in the code."""

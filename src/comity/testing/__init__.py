"""What users of Comity test their own parts with: contract suites for stores, and values for the shell's ports."""

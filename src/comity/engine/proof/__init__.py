"""What changed in the meaning of rules, proved: needs the SMT solver Z3, so nothing imports it but who asks."""

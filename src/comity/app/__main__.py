"""`python -m comity.app`, for where the program is not on the path."""

from comity.app.main import main

main()

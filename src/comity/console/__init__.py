"""HTML: the reviewers' console, public pages, the subject's page. Not built yet."""

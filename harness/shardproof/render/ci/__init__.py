"""What machines that build and test read of a run: JUnit, GitHub, GitLab, SARIF, a file for each."""

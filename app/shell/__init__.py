"""What the candidate sees: screens, the locked tab and the session's controller. The only package that imports Qt."""

"""Who pays, who saves, and side payments that leave nobody worse off."""

"""Commands that are more than one call: exploring, inspecting."""

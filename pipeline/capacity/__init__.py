"""Whether a run fits where it is launched: versions, devices, disk and memory, before its model is loaded."""

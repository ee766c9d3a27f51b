"""Tables: csv, Excel, and those in Word documents; what their columns and rows are."""

"""The twin circuit: node voltages of two resistor networks, exact after every single step."""

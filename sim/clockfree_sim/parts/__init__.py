"""Chips as seen from pins and buses: what the drivers send is decoded here, byte for byte and edge for edge."""

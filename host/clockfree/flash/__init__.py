"""Flashing: firmware and configuration onto boards."""

"""What may be asked for, by whom, on what terms, decided by whom."""

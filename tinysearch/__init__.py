"""tinysearch: what can I build for 15 dollars?"""

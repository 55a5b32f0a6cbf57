"""What a training step needs: bytes of every rank and host, work, and what travels between ranks.

prediction   the answer, as data
predicting   `tttdit.predict_memory`: one stage, one setting
"""

"""Synthetic faces: MakeHuman's head, who a person is, what changes from picture to picture, and the renderer."""

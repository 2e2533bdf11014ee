"""The networks of Ultimate Vocal Remover: RoFormer, MDX23C, MDX-Net, VR."""

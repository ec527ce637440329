def write_card(manifest, evaluations):
    return ""

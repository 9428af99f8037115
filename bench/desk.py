def key_press_to_next_task(): pass
def fifty_people(): pass

import { showFace } from '@/parts/face'
import Customers from './Customers.svelte'

void showFace(Customers)
